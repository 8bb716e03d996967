//! A browser with an authenticator: passkeys that use ES256, are discoverable, and carry no attestation.
//!
//! Written from WebAuthn Level 3 (<https://www.w3.org/TR/webauthn-3/>): §5.8.1 client data, §6.1 authenticator data, §6.5
//! attestation objects. It rejects what a real browser rejects. A [`Tampering`] makes it send what a malicious browser would.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::error::UnexpectedReply;
use crate::random::random_bytes;

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;
/// ECDSA on P-256 with SHA-256, as COSE numbers it.
const ES256: i64 = -7;

/// A passkey and its private key. Clones share its counter.
#[derive(Clone)]
pub struct Passkey {
    key: SigningKey,
    id: Vec<u8>,
    user_handle: Vec<u8>,
    counter: Arc<AtomicU32>,
}

/// What a malicious browser or a broken authenticator does differently. The default is honest.
#[derive(Debug, Clone, Default)]
pub struct Tampering {
    /// Another origin than the site's.
    pub origin: Option<String>,
    /// Another relying party than the site's.
    pub rp_id: Option<String>,
    /// Another `type` of client data (`webauthn.get`, `webauthn.create`).
    pub kind: Option<&'static str>,
    /// The answer to another challenge, in base64url.
    pub challenge: Option<String>,
    /// The page is framed by another site.
    pub cross_origin: bool,
    /// The user-present flag is missing.
    pub no_user_presence: bool,
    /// The user-verified flag is missing.
    pub no_user_verification: bool,
    /// Further flags of the authenticator data: that the passkey can be backed up (8), or is (16).
    pub flags: u8,
    /// The signature covers other data.
    pub bogus_signature: bool,
    /// Another value of the counter.
    pub counter: Option<u32>,
    /// Another credential's id.
    pub id: Option<Vec<u8>>,
    /// Another user handle.
    pub user_handle: Option<Vec<u8>>,
}

impl Passkey {
    /// Creates a passkey as `navigator.credentials.create` does on a page of `origin`. Also returns its `toJSON()`.
    ///
    /// # Errors
    /// If a browser would reject these options.
    pub fn create(options: &Value, origin: &str, tampering: &Tampering) -> Result<(Self, Value), UnexpectedReply> {
        let selection = &options["authenticatorSelection"];
        if selection["residentKey"] != "required" || selection["userVerification"] != "required" {
            return Err(UnexpectedReply(format!("these options do not require a discoverable passkey: {selection}")));
        }
        let algorithms = options["pubKeyCredParams"].as_array().cloned().unwrap_or_default();
        if !algorithms.iter().any(|offered| offered["alg"] == ES256 && offered["type"] == "public-key") {
            return Err(UnexpectedReply("the options do not offer ES256".into()));
        }
        let passkey = Self {
            // A random secret lies outside the curve's order once in 2^32 times. Then another is drawn.
            key: std::iter::repeat_with(|| SigningKey::from_slice(&random_bytes::<32>()))
                .find_map(Result::ok)
                .ok_or_else(|| UnexpectedReply("no valid key was drawn".into()))?,
            id: tampering.id.clone().unwrap_or_else(|| random_bytes::<16>().to_vec()),
            user_handle: bytes_at(&options["user"], "id")?,
            counter: Arc::new(AtomicU32::new(tampering.counter.unwrap_or(0))),
        };
        let client_data = client_data("webauthn.create", options, origin, tampering)?;
        let data =
            passkey.data(&rp_id(&options["rp"]["id"], origin)?, ATTESTED, passkey.counter.load(Ordering::Relaxed), tampering);
        let data = [data, passkey.attested()].concat();
        let id = BASE64URL.encode(&passkey.id);
        let json = json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": { "credProps": { "rk": true } },
            "response": {
                "clientDataJSON": BASE64URL.encode(&client_data),
                "attestationObject": BASE64URL.encode(attestation(&data)),
                "authenticatorData": BASE64URL.encode(&data),
                "publicKeyAlgorithm": ES256,
                "publicKey": BASE64URL.encode(passkey.key.verifying_key().to_sec1_point(false).as_bytes()),
                "transports": ["internal"],
            },
        });
        Ok((passkey, json))
    }

    /// Signs as `navigator.credentials.get` does on a page of `origin`. Returns its `toJSON()`.
    ///
    /// # Errors
    /// If a browser would reject these options.
    pub fn get(&self, options: &Value, origin: &str, tampering: &Tampering) -> Result<Value, UnexpectedReply> {
        let client_data = client_data("webauthn.get", options, origin, tampering)?;
        let counter = tampering.counter.unwrap_or_else(|| self.counter.fetch_add(1, Ordering::Relaxed) + 1);
        let data = self.data(&rp_id(&options["rpId"], origin)?, 0, counter, tampering);
        let mut signed = data.clone();
        signed.extend_from_slice(&Sha256::digest(&client_data));
        if tampering.bogus_signature {
            signed.push(0);
        }
        let signature: Signature = self.key.sign(&signed);
        let id = BASE64URL.encode(tampering.id.as_ref().unwrap_or(&self.id));
        Ok(json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": BASE64URL.encode(&client_data),
                "authenticatorData": BASE64URL.encode(&data),
                "signature": BASE64URL.encode(signature.to_der().as_bytes()),
                "userHandle": BASE64URL.encode(tampering.user_handle.as_ref().unwrap_or(&self.user_handle)),
            },
        }))
    }

    /// The credential's id.
    #[must_use]
    pub fn id(&self) -> &[u8] {
        &self.id
    }

    /// The user handle that the site chose when the passkey was created.
    #[must_use]
    pub fn user_handle(&self) -> &[u8] {
        &self.user_handle
    }

    /// The signature counter.
    #[must_use]
    pub fn counter(&self) -> u32 {
        self.counter.load(Ordering::Relaxed)
    }

    /// Authenticator data, §6.1: party, flags, counter.
    fn data(&self, rp_id: &str, flags: u8, counter: u32, tampering: &Tampering) -> Vec<u8> {
        let present = if tampering.no_user_presence { 0 } else { USER_PRESENT };
        let verified = if tampering.no_user_verification { 0 } else { USER_VERIFIED };
        let mut data = Sha256::digest(tampering.rp_id.as_deref().unwrap_or(rp_id)).to_vec();
        data.push(flags | present | verified | tampering.flags);
        data.extend_from_slice(&counter.to_be_bytes());
        data
    }

    /// Attested credential data, §6.5.2: no make, id, public key as a COSE map.
    fn attested(&self) -> Vec<u8> {
        let point = self.key.verifying_key().to_sec1_point(false);
        let (x, y) = point.as_bytes()[1..].split_at(32);
        let mut data = vec![0; 16];
        data.extend_from_slice(&u16::try_from(self.id.len()).unwrap_or(u16::MAX).to_be_bytes());
        data.extend_from_slice(&self.id);
        // {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
        data.extend_from_slice(&[0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend_from_slice(x);
        data.extend_from_slice(&[0x22, 0x58, 0x20]);
        data.extend_from_slice(y);
        data
    }
}

impl fmt::Debug for Passkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passkey").field("id", &hex::encode(&self.id)).finish_non_exhaustive()
    }
}

/// The requested relying party, which must be the host of the page.
fn rp_id(asked: &Value, origin: &str) -> Result<String, UnexpectedReply> {
    let host = origin.split_once("://").map_or(origin, |(_, rest)| rest).split(':').next().unwrap_or_default();
    match asked.as_str() {
        Some(asked) if asked == host => Ok(asked.to_owned()),
        _ => Err(UnexpectedReply(format!("a browser rejects the relying party {asked} on a page of {origin}"))),
    }
}

fn client_data(kind: &str, options: &Value, origin: &str, tampering: &Tampering) -> Result<Vec<u8>, UnexpectedReply> {
    let challenge = tampering.challenge.as_deref().or(options["challenge"].as_str());
    let challenge = challenge.ok_or_else(|| UnexpectedReply("the options have no challenge".into()))?;
    let data = json!({
        "type": tampering.kind.unwrap_or(kind),
        "challenge": challenge,
        "origin": tampering.origin.as_deref().unwrap_or(origin),
        "crossOrigin": tampering.cross_origin,
    });
    Ok(data.to_string().into_bytes())
}

fn bytes_at(value: &Value, member: &str) -> Result<Vec<u8>, UnexpectedReply> {
    let text = value[member].as_str().unwrap_or_default();
    BASE64URL.decode(text).map_err(|_| UnexpectedReply(format!("{member} is not base64url: {text}")))
}

/// `{"fmt": "none", "attStmt": {}, "authData": data}` in CBOR.
fn attestation(data: &[u8]) -> Vec<u8> {
    let mut cbor = vec![0xA3];
    text(&mut cbor, "fmt");
    text(&mut cbor, "none");
    text(&mut cbor, "attStmt");
    cbor.push(0xA0);
    text(&mut cbor, "authData");
    // A byte string with a length of two bytes.
    cbor.push(0x59);
    cbor.extend_from_slice(&u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
    cbor.extend_from_slice(data);
    cbor
}

/// A text string of fewer than 24 bytes.
fn text(cbor: &mut Vec<u8>, text: &str) {
    cbor.push(0x60 | u8::try_from(text.len()).unwrap_or(0));
    cbor.extend_from_slice(text.as_bytes());
}
