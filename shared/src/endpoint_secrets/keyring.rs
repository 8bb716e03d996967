//! The keyring: seals endpoints, and derives their signing secrets.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use crochet_domain::ids::{ListingId, random_bytes};
use crochet_domain::listing::SealedSecret;
use crochet_domain::webhook_signature::{GENERATED_BYTES, SigningSecret};
use hkdf::Hkdf;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::endpoint::{AuthHeader, Derivation, EndpointSecret, SigningKey};
use crate::config::Seeds;
use crate::secret_store_error::SecretStoreError;

const NONCE_BYTES: usize = 12;

/// All keys, oldest first.
#[derive(Debug, Deserialize)]
#[serde(from = "Seeds")]
pub struct Keyring(Vec<Key>);

/// A key: everything derives from its seed.
#[derive(Debug)]
struct Key {
    id: String,
    seed: SecretString,
    from_ms: i64,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Contents {
    url: String,
    header: Option<AuthHeader>,
    keys: Vec<SealedKey>,
}

/// A signing secret in what is sealed: how it derives or, if it was made elsewhere, itself.
#[derive(Serialize, Deserialize)]
struct SealedKey {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    derived: Option<Derivation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<SigningSecret>,
    not_after_ms: Option<i64>,
}

impl From<Seeds> for Keyring {
    fn from(seeds: Seeds) -> Self {
        let key = |seed: crate::config::Seed| {
            let id = hex::encode(expand::<8>(&seed.seed, &["id"]));
            Key { id, seed: seed.seed, from_ms: seed.from_ms }
        };
        Self(seeds.seeds().into_iter().map(key).collect())
    }
}

impl Keyring {
    /// The id of the key that seals at `now_ms`. A new key seals when every instance has read it.
    ///
    /// # Errors
    /// No key's time has come.
    pub fn current(&self, now_ms: i64) -> Result<&str, SecretStoreError> {
        self.sealing(now_ms).map(|key| key.id.as_str())
    }

    fn sealing(&self, now_ms: i64) -> Result<&Key, SecretStoreError> {
        let newest = self.0.iter().rev().find(|key| key.from_ms <= now_ms);
        newest.ok_or(SecretStoreError::OfOperator("the keyring holds no key that may be used yet"))
    }

    fn key(&self, id: &str) -> Result<&Key, SecretStoreError> {
        self.0.iter().find(|key| key.id == id).ok_or(SecretStoreError::Malformed("the keyring lacks the key of an endpoint"))
    }

    /// Whether it has this key.
    pub(super) fn has(&self, id: &str) -> bool {
        self.key(id).is_ok()
    }

    /// A new signing secret for a listing.
    pub(super) fn new_signing_key(&self, listing: ListingId, now_ms: i64) -> Result<SigningKey, SecretStoreError> {
        let derived = Derivation { key: self.sealing(now_ms)?.id.clone(), salt: hex::encode(random_bytes::<16>()) };
        let secret = self.derive(listing, &derived)?;
        Ok(SigningKey { secret, not_after_ms: None, derived: Some(derived) })
    }

    fn derive(&self, listing: ListingId, derived: &Derivation) -> Result<SigningSecret, SecretStoreError> {
        let seed = &self.key(&derived.key)?.seed;
        let bytes = expand::<GENERATED_BYTES>(seed, &["signing secret", &listing.to_string(), &derived.salt]);
        Ok(SigningSecret::of_bytes(&bytes))
    }

    /// Seals a version of a listing's secret with the current key. A signing secret of another key is sealed itself, so that the other
    /// key is needed no more.
    pub(super) fn seal(
        &self,
        listing: ListingId,
        version: &str,
        secret: &EndpointSecret,
        now_ms: i64,
    ) -> Result<SealedSecret, SecretStoreError> {
        let key = self.sealing(now_ms)?;
        let keys = secret.keys.iter().map(|signing| {
            let derived = signing.derived.clone().filter(|derived| derived.key == key.id);
            let secret = derived.is_none().then(|| signing.secret.clone());
            SealedKey { derived, secret, not_after_ms: signing.not_after_ms }
        });
        let contents = Contents { url: secret.url.expose_secret().to_owned(), header: secret.header.clone(), keys: keys.collect() };
        let failed = SecretStoreError::Malformed("an endpoint cannot be sealed");
        let text = SecretString::from(serde_json::to_string(&contents).map_err(|_| failed.clone())?);
        let nonce = random_bytes::<NONCE_BYTES>();
        let payload = Payload { msg: text.expose_secret().as_bytes(), aad: &bound_to(listing, version) };
        let sealed = key.cipher().encrypt(&Nonce::from(nonce), payload).map_err(|_| failed)?;
        Ok(SealedSecret { key: key.id.clone(), text: BASE64.encode([&nonce[..], &sealed].concat()), since_ms: now_ms })
    }

    /// Opens what was sealed for this listing and version.
    pub(super) fn open(
        &self,
        listing: ListingId,
        version: &str,
        sealed: &SealedSecret,
    ) -> Result<EndpointSecret, SecretStoreError> {
        let failed = SecretStoreError::Malformed("a sealed endpoint cannot be opened");
        let bytes = BASE64.decode(&sealed.text).map_err(|_| failed.clone())?;
        let (nonce, sealed_bytes) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(|| failed.clone())?;
        let payload = Payload { msg: sealed_bytes, aad: &bound_to(listing, version) };
        let text = self.key(&sealed.key)?.cipher().decrypt(&Nonce::from(*nonce), payload).map_err(|_| failed.clone())?;
        let contents: Contents = serde_json::from_slice(&text).map_err(|_| failed.clone())?;
        let keys = contents.keys.into_iter().map(|key| {
            let secret = match (&key.derived, key.secret) {
                (Some(derived), _) => self.derive(listing, derived)?,
                (None, Some(secret)) => secret,
                (None, None) => return Err(failed.clone()),
            };
            Ok(SigningKey { secret, not_after_ms: key.not_after_ms, derived: key.derived })
        });
        let keys = keys.collect::<Result<_, _>>()?;
        Ok(EndpointSecret { url: contents.url.into(), header: contents.header, keys })
    }
}

impl Key {
    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&expand::<32>(&self.seed, &["seal"]).into())
    }
}

/// What a sealed text is bound to: neither another listing nor another version can use it.
fn bound_to(listing: ListingId, version: &str) -> Vec<u8> {
    format!("{listing} {version}").into_bytes()
}

/// Bytes that derive from a seed, for the use that these words name.
fn expand<const N: usize>(seed: &SecretString, words: &[&str]) -> [u8; N] {
    let mut bytes = [0; N];
    let info = ["crochet endpoint"].iter().chain(words).copied().collect::<Vec<_>>().join("\0");
    Hkdf::<Sha256>::new(None, seed.expose_secret().as_bytes())
        .expand(info.as_bytes(), &mut bytes)
        .expect("HKDF yields up to 8,160 bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    fn ring(seeds: &str) -> Keyring {
        serde_json::from_str(seeds).expect("a keyring")
    }

    fn listing() -> ListingId {
        ListingId::generate(OffsetDateTime::UNIX_EPOCH)
    }

    fn secret(ring: &Keyring, listing: ListingId) -> EndpointSecret {
        let header = AuthHeader { name: "X-Key".into(), value: "hush".into() };
        let made_elsewhere = SigningKey { not_after_ms: Some(9), ..SigningKey::of(SigningSecret::generate()) };
        let keys = vec![ring.new_signing_key(listing, 5).expect("a key"), made_elsewhere];
        EndpointSecret { url: "https://hush.example.com/".into(), header: Some(header), keys }
    }

    fn revealed(secret: &EndpointSecret) -> String {
        serde_json::to_string(secret).expect("JSON")
    }

    #[test]
    fn what_was_sealed_opens_for_its_listing_and_version_only() {
        let (ring, id) = (ring(r#"{"seed":"a"}"#), listing());
        let secret = secret(&ring, id);
        let sealed = ring.seal(id, "v1", &secret, 7).expect("sealed");
        let opened = ring.open(id, "v1", &sealed).expect("opened");
        assert_eq!((revealed(&opened), sealed.since_ms), (revealed(&secret), 7));
        assert_ne!(ring.seal(id, "v1", &secret, 7).expect("sealed").text, sealed.text, "another nonce");
        assert!(ring.open(listing(), "v1", &sealed).is_err() && ring.open(id, "v2", &sealed).is_err());
        let bytes = BASE64.decode(&sealed.text).expect("base64");
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            let altered = SealedSecret { text: BASE64.encode(altered), ..sealed.clone() };
            assert!(ring.open(id, "v1", &altered).is_err(), "byte {at}");
        }
        for text in ["", "AAAA", "*"] {
            assert!(ring.open(id, "v1", &SealedSecret { text: text.into(), ..sealed.clone() }).is_err());
        }
    }

    #[test]
    fn signing_secrets_derive_and_are_not_in_what_is_sealed() {
        let (ring, id) = (ring(r#"{"seed":"a"}"#), listing());
        let (one, other) = (ring.new_signing_key(id, 5).expect("a key"), ring.new_signing_key(id, 5).expect("a key"));
        assert_ne!(one.secret.reveal(), other.secret.reveal());
        let derived = one.derived.as_ref().expect("derived");
        assert_eq!(ring.derive(id, derived).expect("again").reveal(), one.secret.reveal());
        assert_ne!(ring.derive(listing(), derived).expect("another listing's").reveal(), one.secret.reveal());
        let secret = EndpointSecret { url: "https://a.example/".into(), header: None, keys: vec![one.clone()] };
        let sealed = ring.seal(id, "v", &secret, 5).expect("sealed");
        let bytes = BASE64.decode(&sealed.text).expect("base64");
        let (nonce, text) = bytes.split_first_chunk::<NONCE_BYTES>().expect("a nonce");
        let payload = Payload { msg: text, aad: &bound_to(id, "v") };
        let text = ring.0[0].cipher().decrypt(&Nonce::from(*nonce), payload).expect("opened");
        assert!(!String::from_utf8_lossy(&text).contains(&one.secret.reveal()[6..]));
    }

    #[test]
    fn after_a_rotation_what_is_sealed_anew_needs_the_new_key_only() {
        let (before, id) = (ring(r#"{"seed":"a"}"#), listing());
        let both = ring(r#"{"seed":"a","rotated":[{"seed":"b","from_ms":10}]}"#);
        let secret = secret(&before, id);
        let old = before.seal(id, "v1", &secret, 5).expect("sealed");
        assert_eq!(both.current(9).expect("a key"), before.current(9).expect("a key"), "not used yet");
        assert_ne!(both.current(10).expect("a key"), old.key);
        let opened = both.open(id, "v1", &old).expect("the old key stays");
        let new = both.seal(id, "v2", &opened, 10).expect("sealed");
        let after = ring(r#"{"seed":"b"}"#);
        assert_eq!(revealed(&after.open(id, "v2", &new).expect("opened")), revealed(&secret));
        assert!(after.open(id, "v1", &old).is_err() && !after.has(&old.key));
    }

    #[test]
    fn nothing_secret_prints() {
        assert!(!format!("{:?}", ring(r#"{"seed":"hush"}"#)).contains("hush"));
    }
}
