//! Signatures on what Crochet sends to sellers, as Standard Webhooks 1.0 has them, so that a stock library verifies them.
//!
//! What is signed is `{id}.{timestamp}.{body}`: neither the URL nor any other header. A secret therefore belongs to one
//! listing alone.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Sha256;

use super::ids::random_bytes;

/// The header with the id of the message, the same on every attempt: the receiver's idempotency key.
pub const WEBHOOK_ID: &str = "webhook-id";
/// The header with the time of this attempt in Unix seconds. Receivers refuse what is more than five minutes off.
pub const WEBHOOK_TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures, separated by spaces.
pub const WEBHOOK_SIGNATURE: &str = "webhook-signature";

const SECRET_PREFIX: &str = "whsec_";
const FRESH_BYTES: usize = 32;
/// Standard Webhooks: "between 24 bytes (192 bits) and 64 bytes (512 bits)".
const ALLOWED_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The text is not a signing secret. Never holds any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SigningSecretError;

impl fmt::Display for SigningSecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("A signing secret is whsec_ and the base64 form of 24 to 64 bytes.")
    }
}

impl std::error::Error for SigningSecretError {}

/// The key that Crochet and one seller share. Serialised as `whsec_…`, for the secret store alone; `Debug` shows nothing.
#[derive(Clone)]
pub struct SigningSecret(Vec<u8>);

impl SigningSecret {
    /// A fresh secret: 32 bytes of the operating system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        Self(random_bytes::<FRESH_BYTES>().to_vec())
    }

    /// Reads `whsec_<base64>`, padded, of 24 to 64 bytes (as the standard allows; ours have 32).
    ///
    /// # Errors
    /// [`SigningSecretError`] where it has another form.
    pub fn parse(text: &str) -> Result<Self, SigningSecretError> {
        let encoded = text.strip_prefix(SECRET_PREFIX).ok_or(SigningSecretError)?;
        let bytes = BASE64.decode(encoded).map_err(|_| SigningSecretError)?;
        if ALLOWED_BYTES.contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(SigningSecretError) }
    }

    /// `whsec_<base64>`. For the one reply that shows it to the seller, and for the secret store.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{SECRET_PREFIX}{}", BASE64.encode(&self.0))
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

impl Serialize for SigningSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.reveal())
    }
}

impl<'de> Deserialize<'de> for SigningSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The value of [`WEBHOOK_SIGNATURE`]: one `v1,<base64>` per secret, in the order given, separated by spaces.
///
/// `body` is what is sent, byte for byte. `id` comes from us and holds no `.`, else two different messages could be signed by
/// the same text. During a rotation both secrets sign, and the receiver needs only one of them.
#[must_use]
pub fn sign(secrets: &[&SigningSecret], id: &str, unix_seconds: i64, body: &[u8]) -> String {
    debug_assert!(!id.contains('.'), "a message id holds no '.'");
    secrets.iter().map(|secret| signature(secret, id, unix_seconds, body)).collect::<Vec<_>>().join(" ")
}

fn signature(secret: &SigningSecret, id: &str, unix_seconds: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret.0).expect("HMAC takes a key of any length");
    mac.update(format!("{id}.{unix_seconds}.").as_bytes());
    mac.update(body);
    format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The vector that the reference libraries of Standard Webhooks share.
    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    const SECONDS: i64 = 1_649_367_553;
    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
    const SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";

    #[test]
    fn the_shared_vector() {
        let secret = SigningSecret::parse(SECRET).expect("a good secret");
        assert_eq!(sign(&[&secret], ID, SECONDS, BODY), SIGNATURE);
        assert_eq!(secret.reveal(), SECRET);
    }

    #[test]
    fn id_time_body_and_secret_all_count() {
        let secret = SigningSecret::parse(SECRET).expect("a good secret");
        let other = SigningSecret::generate();
        assert_ne!(sign(&[&secret], "msg_other", SECONDS, BODY), SIGNATURE);
        assert_ne!(sign(&[&secret], ID, SECONDS + 1, BODY), SIGNATURE);
        assert_ne!(sign(&[&secret], ID, SECONDS, b""), SIGNATURE);
        assert_ne!(sign(&[&other], ID, SECONDS, BODY), SIGNATURE);
    }

    #[test]
    fn both_secrets_sign_during_a_rotation() {
        let old = SigningSecret::parse(SECRET).expect("a good secret");
        let new = SigningSecret::generate();
        let value = sign(&[&new, &old], ID, SECONDS, BODY);
        let expected = [sign(&[&new], ID, SECONDS, BODY), SIGNATURE.to_owned()];
        assert_eq!(value.split(' ').collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_body_is_bytes() {
        let secret = SigningSecret::parse(SECRET).expect("a good secret");
        assert_ne!(sign(&[&secret], ID, SECONDS, b"\xff\xfe"), sign(&[&secret], ID, SECONDS, b"\xff"));
    }

    #[test]
    fn fresh_secrets_have_32_bytes_and_survive_storage() {
        let secret = SigningSecret::generate();
        let stored = serde_json::to_string(&secret).expect("JSON");
        assert_eq!(stored, format!("\"{}\"", secret.reveal()));
        let again: SigningSecret = serde_json::from_str(&stored).expect("as it was written");
        assert_eq!(again.reveal(), secret.reveal());
        assert_eq!(secret.0.len(), 32);
        assert_ne!(secret.reveal(), SigningSecret::generate().reveal());
    }

    #[test]
    fn other_texts_are_no_secrets() {
        let of_length = |n: usize| format!("whsec_{}", BASE64.encode(vec![7; n]));
        for n in [24, 32, 64] {
            assert!(SigningSecret::parse(&of_length(n)).is_ok(), "{n}");
        }
        let bad = ["", "whsec_", "C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_C2FVsBQIhrscChlQIMV-b5sSYspob7oD", "whsk_AAAA"];
        for text in bad.map(str::to_owned).into_iter().chain([0, 23, 65].map(of_length)).chain([format!("{SECRET}\n")]) {
            assert_eq!(SigningSecret::parse(&text).err(), Some(SigningSecretError), "{text:?}");
        }
    }

    #[test]
    fn secrets_do_not_print() {
        assert_eq!(format!("{:?}", SigningSecret::generate()), "SigningSecret(…)");
    }
}
