//! One signing key, and what it signs.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::sec1::ToSec1Point;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A P-256 key. Its id is the thumbprint of its public key (RFC 7638).
pub(super) struct ReceiptKey {
    key: SigningKey,
    pub(super) kid: String,
    x: String,
    y: String,
}

impl ReceiptKey {
    /// The key of a seed: the first SHA-256 of the seed and a number that is a valid key. Nearly all are.
    pub(super) fn of_seed(seed: &SecretString) -> Option<Self> {
        let seed = seed.expose_secret();
        let candidate = |n: u8| {
            let digest = Sha256::new().chain_update("crochet receipt key").chain_update([n]).chain_update(seed).finalize();
            SigningKey::from_slice(&digest).ok()
        };
        let key = (0..8).find_map(candidate)?;
        let point = key.verifying_key().as_affine().to_sec1_point(false);
        let [x, y] = [point.x()?, point.y()?].map(|coordinate| URL_SAFE_NO_PAD.encode(coordinate));
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        Some(Self { key, kid: URL_SAFE_NO_PAD.encode(Sha256::digest(canonical)), x, y })
    }

    /// The public key as a JWK.
    pub(super) fn jwk(&self) -> Value {
        json!({ "kty": "EC", "crv": "P-256", "x": self.x, "y": self.y, "kid": self.kid, "alg": "ES256", "use": "sig" })
    }

    /// A compact JWS of these claims.
    pub(super) fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": self.kid });
        let [header, claims] = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature: Signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::signature::Verifier;

    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_key_and_its_signature_verifies() {
        let seed = SecretString::from("0123456789abcdef0123456789abcdef");
        let (key, again) = (ReceiptKey::of_seed(&seed).expect("a key"), ReceiptKey::of_seed(&seed).expect("a key"));
        assert_eq!((&key.kid, key.kid.len()), (&again.kid, 43));
        let other = ReceiptKey::of_seed(&SecretString::from("another")).expect("a key");
        assert_ne!(key.kid, other.kid);
        let jws = key.sign(&json!({ "a": 1 }));
        let (signed, signature) = jws.rsplit_once('.').expect("three parts");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        let signature = Signature::from_slice(&signature).expect("64 bytes");
        assert!(key.key.verifying_key().verify(signed.as_bytes(), &signature).is_ok());
        assert!(other.key.verifying_key().verify(signed.as_bytes(), &signature).is_err());
    }
}
