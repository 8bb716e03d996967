//! Signatures on requests to sellers, following Standard Webhooks 1.0, so that stock libraries can verify them.
//!
//! The signed text is `{id}.{timestamp}.{body}`. It covers neither the URL nor any other header, so every listing has its own
//! secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Sha256;

use super::ids::random_bytes;

/// Header with the message id, which is the same on every attempt: the receiver's idempotency key.
pub const WEBHOOK_ID: &str = "webhook-id";
/// Header with the time of this attempt in Unix seconds. Receivers reject a difference of more than five minutes.
pub const WEBHOOK_TIMESTAMP: &str = "webhook-timestamp";
/// Header with the signatures, separated by spaces.
pub const WEBHOOK_SIGNATURE: &str = "webhook-signature";

const SECRET_PREFIX: &str = "whsec_";
/// Length of a generated secret.
pub const GENERATED_BYTES: usize = 32;
/// Standard Webhooks: "between 24 bytes (192 bits) and 64 bytes (512 bits)".
const ALLOWED_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The text is not a signing secret. Contains no part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("A signing secret is whsec_ followed by 24 to 64 bytes in base64.")]
pub struct SigningSecretError;

/// The key that Crochet shares with one seller. Serialises as `whsec_…`; `Debug` prints no part of it.
#[derive(Debug, Clone)]
pub struct SigningSecret(SecretSlice<u8>);

impl SigningSecret {
    /// A new secret of 32 random bytes.
    #[must_use]
    pub fn generate() -> Self {
        Self(random_bytes::<GENERATED_BYTES>().to_vec().into())
    }

    /// The secret of these bytes.
    #[must_use]
    pub fn of_bytes(bytes: &[u8; GENERATED_BYTES]) -> Self {
        Self(bytes.to_vec().into())
    }

    /// Parses `whsec_` followed by 24 to 64 bytes in padded base64.
    ///
    /// # Errors
    /// [`SigningSecretError`] for any other text.
    pub fn parse(text: &str) -> Result<Self, SigningSecretError> {
        let encoded = text.strip_prefix(SECRET_PREFIX).ok_or(SigningSecretError)?;
        let bytes = BASE64.decode(encoded).map_err(|_| SigningSecretError)?;
        if ALLOWED_BYTES.contains(&bytes.len()) { Ok(Self(bytes.into())) } else { Err(SigningSecretError) }
    }

    /// The secret as `whsec_<base64>`. Use only for the reply that shows it to the seller and for the secret store.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{SECRET_PREFIX}{}", BASE64.encode(self.0.expose_secret()))
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

/// The value of [`WEBHOOK_SIGNATURE`]: one `v1,<base64>` per secret, in the given order, separated by spaces.
///
/// `body` is the request body, byte for byte. `id` must not contain `.`; otherwise two different messages could have the same
/// signed text. During a rotation both secrets sign, and the receiver needs only one of them.
#[must_use]
pub fn sign(secrets: &[&SigningSecret], id: &str, unix_seconds: i64, body: &[u8]) -> String {
    debug_assert!(!id.contains('.'), "a message id must not contain '.'");
    secrets.iter().map(|secret| signature(secret, id, unix_seconds, body)).collect::<Vec<_>>().join(" ")
}

fn signature(secret: &SigningSecret, id: &str, unix_seconds: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.0.expose_secret()).expect("HMAC accepts keys of any length");
    mac.update(format!("{id}.{unix_seconds}.").as_bytes());
    mac.update(body);
    format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Test vector shared by the reference libraries of Standard Webhooks.
    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    const SECONDS: i64 = 1_649_367_553;
    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
    const SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";

    #[test]
    fn the_shared_test_vector_verifies() {
        let secret = SigningSecret::parse(SECRET).expect("a valid secret");
        assert_eq!(sign(&[&secret], ID, SECONDS, BODY), SIGNATURE);
        assert_eq!(secret.reveal(), SECRET);
    }

    #[test]
    fn id_time_body_and_secret_all_change_the_signature() {
        let secret = SigningSecret::parse(SECRET).expect("a valid secret");
        let other = SigningSecret::generate();
        assert_ne!(sign(&[&secret], "msg_other", SECONDS, BODY), SIGNATURE);
        assert_ne!(sign(&[&secret], ID, SECONDS + 1, BODY), SIGNATURE);
        assert_ne!(sign(&[&secret], ID, SECONDS, b""), SIGNATURE);
        assert_ne!(sign(&[&other], ID, SECONDS, BODY), SIGNATURE);
    }

    #[test]
    fn both_secrets_sign_during_a_rotation() {
        let old = SigningSecret::parse(SECRET).expect("a valid secret");
        let new = SigningSecret::generate();
        let value = sign(&[&new, &old], ID, SECONDS, BODY);
        let expected = [sign(&[&new], ID, SECONDS, BODY), SIGNATURE.to_owned()];
        assert_eq!(value.split(' ').collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_body_need_not_be_utf8() {
        let secret = SigningSecret::parse(SECRET).expect("a valid secret");
        assert_ne!(sign(&[&secret], ID, SECONDS, b"\xff\xfe"), sign(&[&secret], ID, SECONDS, b"\xff"));
    }

    #[test]
    fn generated_secrets_have_32_bytes_and_survive_storage() {
        let secret = SigningSecret::generate();
        let stored = serde_json::to_string(&secret).expect("JSON");
        assert_eq!(stored, format!("\"{}\"", secret.reveal()));
        let read: SigningSecret = serde_json::from_str(&stored).expect("the form just written");
        assert_eq!(read.reveal(), secret.reveal());
        assert_eq!(secret.0.expose_secret().len(), 32);
        assert_ne!(secret.reveal(), SigningSecret::generate().reveal());
    }

    #[test]
    fn other_texts_are_rejected() {
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
        let secret = SigningSecret::generate();
        let printed = format!("{secret:?}");
        assert!(printed.contains("REDACTED") && !printed.contains(&secret.reveal()), "{printed}");
        let bytes = format!("{:?}", secret.0.expose_secret());
        assert!(!printed.contains(bytes.trim_matches(['[', ']'])), "{printed}");
    }
}
