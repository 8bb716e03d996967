//! The secret of one endpoint.

use crochet_domain::webhook_signature::SigningSecret;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// A signing secret and its expiry.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SigningKey {
    /// The signing secret.
    pub secret: SigningSecret,
    /// Expiry in Unix milliseconds, exclusive. `None` for the current secret.
    pub not_after_ms: Option<i64>,
    /// How it derives from the keyring, if it does. What is kept in Secrets Manager does not say.
    #[serde(skip)]
    pub derived: Option<Derivation>,
}

/// How a signing secret derives from the keyring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Derivation {
    /// Id of the key.
    pub key: String,
    /// Tells the signing secrets of a listing apart.
    pub salt: String,
}

impl SigningKey {
    /// A current one of this secret.
    #[must_use]
    pub fn of(secret: SigningSecret) -> Self {
        Self { secret, not_after_ms: None, derived: None }
    }

    /// Whether this key signs calls at `now_ms`.
    #[must_use]
    pub fn is_live(&self, now_ms: i64) -> bool {
        self.not_after_ms.is_none_or(|end| now_ms < end)
    }
}

/// A header that Crochet adds to every call to the endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuthHeader {
    /// Header name.
    pub name: String,
    /// Header value.
    #[serde(serialize_with = "expose")]
    pub value: SecretString,
}

/// Everything secret about an endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EndpointSecret {
    /// URL of the endpoint.
    #[serde(serialize_with = "expose")]
    pub url: SecretString,
    /// Header to add to every call, if the seller set one.
    pub header: Option<AuthHeader>,
    /// Keys that sign calls, newest first.
    pub keys: Vec<SigningKey>,
}

impl EndpointSecret {
    /// The secrets that sign calls at `now_ms`, newest first.
    #[must_use]
    pub fn live_secrets(&self, now_ms: i64) -> Vec<&SigningSecret> {
        self.keys.iter().filter(|key| key.is_live(now_ms)).map(|key| &key.secret).collect()
    }
}

fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> EndpointSecret {
        EndpointSecret {
            url: "https://hush.example.com/".into(),
            header: Some(AuthHeader { name: "X-Key".into(), value: "hush".into() }),
            keys: vec![SigningKey { not_after_ms: Some(5), ..SigningKey::of(SigningSecret::generate()) }],
        }
    }

    #[test]
    fn nothing_secret_prints() {
        let secret = secret();
        let printed = format!("{secret:?}");
        assert!(!printed.contains("hush") && !printed.contains(&secret.keys[0].secret.reveal()), "{printed}");
    }

    #[test]
    fn the_stored_form_holds_everything() {
        let secret = secret();
        let stored = serde_json::to_value(&secret).expect("JSON");
        assert_eq!(stored["url"], "https://hush.example.com/");
        assert_eq!(stored["header"], serde_json::json!({ "name": "X-Key", "value": "hush" }));
        assert_eq!(stored["keys"][0]["secret"], secret.keys[0].secret.reveal());
        let read: EndpointSecret = serde_json::from_value(stored).expect("the form just written");
        assert_eq!((read.url.expose_secret(), read.keys[0].not_after_ms), ("https://hush.example.com/", Some(5)));
    }

    #[test]
    fn a_key_is_live_until_its_expiry() {
        let secret = secret();
        assert_eq!((secret.live_secrets(4).len(), secret.live_secrets(5).len()), (1, 0));
    }
}
