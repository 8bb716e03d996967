//! Changes of an endpoint's secret: another URL or header, or a new signing secret.

use crochet::endpoint_secrets::{AuthHeader, EndpointSecret, SigningKey};
use crochet::http::{ApiError, Code, Result};
use crochet::outbound::EndpointUrl;
use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use crochet_domain::webhook_signature::SigningSecret;
use secrecy::ExposeSecret;

use super::new_endpoint::NewEndpoint;

/// Maximum number of secrets that sign at the same time. Each one lengthens the signature header of every call.
const MAX_LIVE_SECRETS: usize = 5;

/// A change of a secret.
pub(crate) enum SecretChange {
    /// Sets the URL, the header, or both. `None` leaves a field as it is; `header: Some(None)` removes the header.
    Set { url: Option<EndpointUrl>, header: Option<Option<AuthHeader>> },
    /// Changes nothing: the next version is kept where the configuration says. The operator moves what exists; a draft's secret moves
    /// when its seller puts it on offer.
    Move { by_operator: bool },
    /// Adds a new signing secret. Earlier ones keep signing for `overlap_ms`, or until their own expiry if that is sooner; with 0
    /// they stop at once.
    Rotate { overlap_ms: i64 },
}

/// The result of a change.
pub(crate) struct NewSecret {
    /// The secret to store.
    pub(crate) secret: EndpointSecret,
    /// The signing secret, if it is new, to show once.
    pub(crate) signing_secret: Option<SigningSecret>,
}

impl SecretChange {
    /// The new URL, if it changes.
    pub(crate) fn url(&self) -> Option<&EndpointUrl> {
        match self {
            Self::Set { url, .. } => url.as_ref(),
            Self::Move { .. } | Self::Rotate { .. } => None,
        }
    }

    /// A whole new endpoint with this signing secret, if the change has a URL for one: for a listing without an endpoint, or to replace a
    /// lost secret.
    pub(crate) fn for_new_endpoint(&self, signing_key: SigningKey, now_ms: i64) -> Option<NewEndpoint> {
        match self {
            Self::Set { url: Some(url), header } => Some(NewEndpoint::new(url, header.clone().flatten(), signing_key, now_ms)),
            _ => None,
        }
    }

    /// Applies the change to the secret `before`; a rotation adds `signing_key`. Returns `None` if nothing would change. Drops expired
    /// keys.
    ///
    /// # Errors
    /// `TOO_MANY_LIVE_SECRETS`.
    pub(crate) fn apply(&self, before: &EndpointSecret, signing_key: SigningKey, now_ms: i64) -> Result<Option<NewSecret>> {
        let mut keys: Vec<SigningKey> = before.keys.iter().filter(|key| key.is_live(now_ms)).cloned().collect();
        match self {
            Self::Set { url, header } => {
                let url_before = before.url.expose_secret();
                let url = url.as_ref().map_or(url_before, EndpointUrl::reveal);
                let header = header.as_ref().unwrap_or(&before.header);
                if url == url_before && is_same_header(header.as_ref(), before.header.as_ref()) {
                    return Ok(None);
                }
                let secret = EndpointSecret { url: url.into(), header: header.clone(), keys };
                Ok(Some(NewSecret { secret, signing_secret: None }))
            }
            Self::Move { .. } => {
                let secret = EndpointSecret { url: before.url.clone(), header: before.header.clone(), keys };
                Ok(Some(NewSecret { secret, signing_secret: None }))
            }
            Self::Rotate { overlap_ms } => {
                if *overlap_ms <= 0 {
                    keys.clear();
                }
                if keys.len() >= MAX_LIVE_SECRETS {
                    return Err(too_many_live_secrets(&keys, now_ms));
                }
                let overlap_end = now_ms + overlap_ms;
                for key in &mut keys {
                    key.not_after_ms = Some(key.not_after_ms.map_or(overlap_end, |end| end.min(overlap_end)));
                }
                let signing_secret = signing_key.secret.clone();
                keys.insert(0, signing_key);
                let secret = EndpointSecret { url: before.url.clone(), header: before.header.clone(), keys };
                Ok(Some(NewSecret { secret, signing_secret: Some(signing_secret) }))
            }
        }
    }
}

impl NewSecret {
    /// Names of the headers that are added to every call.
    pub(crate) fn header_names(&self) -> Vec<String> {
        self.secret.header.iter().map(|header| header.name.clone()).collect()
    }

    /// When the last of the previous signing secrets expires, in Unix milliseconds.
    pub(crate) fn previous_secret_expires_ms(&self) -> Option<i64> {
        self.secret.keys.iter().filter_map(|key| key.not_after_ms).max()
    }
}

/// Not a constant-time comparison: the caller owns both headers, so its duration reveals nothing.
fn is_same_header(one: Option<&AuthHeader>, other: Option<&AuthHeader>) -> bool {
    fn parts(header: Option<&AuthHeader>) -> Option<(&str, &str)> {
        header.map(|header| (header.name.as_str(), header.value.expose_secret()))
    }
    parts(one) == parts(other)
}

fn too_many_live_secrets(keys: &[SigningKey], now_ms: i64) -> ApiError {
    let error = ApiError::new(Code::TooManyLiveSecrets).detail("max_live_secrets", MAX_LIVE_SECRETS);
    match keys.iter().filter_map(|key| key.not_after_ms).min() {
        Some(end) => {
            let seconds = u64::try_from((end - now_ms).max(0)).unwrap_or(0).div_ceil(1_000);
            error.retry_after(seconds.max(1)).detail("next_secret_ends_at", rfc3339(from_unix_ms(end)))
        }
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use crochet::outbound::OutboundRules;

    use super::*;

    fn url(text: &str) -> EndpointUrl {
        let config = crochet::config::Config::from_lookup(|_| None).expect("defaults");
        EndpointUrl::parse(text, &OutboundRules::of(&config)).expect("a public URL")
    }

    fn header(value: &str) -> AuthHeader {
        AuthHeader { name: "X-Key".into(), value: value.into() }
    }

    fn secret(ends: &[Option<i64>]) -> EndpointSecret {
        let key = |end: &Option<i64>| SigningKey { not_after_ms: *end, ..new_key() };
        let keys = ends.iter().map(key).collect();
        EndpointSecret { url: url("https://example.com/a").reveal().into(), header: Some(header("v")), keys }
    }

    fn new_key() -> SigningKey {
        SigningKey::of(SigningSecret::generate())
    }

    fn applied(change: &SecretChange, before: &EndpointSecret, now_ms: i64) -> NewSecret {
        change.apply(before, new_key(), now_ms).expect("allowed").expect("a change")
    }

    fn ends(of: &NewSecret) -> Vec<Option<i64>> {
        of.secret.keys.iter().map(|key| key.not_after_ms).collect()
    }

    #[test]
    fn omitted_fields_stay_and_expired_keys_are_dropped() {
        let before = secret(&[None, Some(5), Some(9)]);
        let set = SecretChange::Set { url: Some(url("https://example.com/b")), header: None };
        let after = applied(&set, &before, 5);
        assert_eq!((after.secret.url.expose_secret(), ends(&after)), ("https://example.com/b", vec![None, Some(9)]));
        assert!(is_same_header(after.secret.header.as_ref(), Some(&header("v"))));
        assert_eq!((after.header_names(), after.previous_secret_expires_ms()), (vec!["X-Key".to_owned()], Some(9)));
        assert!(after.signing_secret.is_none(), "the signing secret stays");
        let none = applied(&SecretChange::Set { url: None, header: Some(None) }, &before, 5);
        assert!(
            none.secret.header.is_none()
                && none.secret.url.expose_secret() == before.url.expose_secret()
                && none.header_names().is_empty()
        );
    }

    #[test]
    fn the_same_values_are_no_change() {
        let before = secret(&[None]);
        for (url, header) in [
            (None, None),
            (Some(url("https://example.com/a")), None),
            (None, Some(Some(header("v")))),
            (Some(url("https://example.com/a")), Some(Some(header("v")))),
        ] {
            assert!(SecretChange::Set { url, header }.apply(&before, new_key(), 0).expect("allowed").is_none());
        }
        assert!(
            SecretChange::Set { url: None, header: Some(Some(header("w"))) }
                .apply(&before, new_key(), 0)
                .expect("allowed")
                .is_some()
        );
    }

    #[test]
    fn a_rotation_expires_earlier_secrets_after_the_overlap_or_sooner() {
        let before = secret(&[None, Some(150), Some(900)]);
        let after = applied(&SecretChange::Rotate { overlap_ms: 100 }, &before, 100);
        assert_eq!((ends(&after), after.previous_secret_expires_ms()), (vec![None, Some(200), Some(150), Some(200)], Some(200)));
        let signing_secret = after.signing_secret.as_ref().expect("a new signing secret");
        assert_eq!(signing_secret.reveal(), after.secret.keys[0].secret.reveal());
        assert_eq!(after.secret.keys[1].secret.reveal(), before.keys[0].secret.reveal());
        let at_once = applied(&SecretChange::Rotate { overlap_ms: 0 }, &before, 100);
        assert_eq!((ends(&at_once), at_once.previous_secret_expires_ms()), (vec![None], None));
    }

    #[test]
    fn at_most_five_secrets_sign() {
        let full = secret(&[None, Some(500), Some(400), Some(300), Some(200)]);
        let error = SecretChange::Rotate { overlap_ms: 100 }.apply(&full, new_key(), 100).err().expect("a sixth");
        assert_eq!((error.code(), error.retry_after_seconds()), (Code::TooManyLiveSecrets, Some(1)));
        assert!(
            SecretChange::Rotate { overlap_ms: 0 }.apply(&full, new_key(), 100).is_ok(),
            "an immediate rotation drops the others"
        );
        assert!(SecretChange::Rotate { overlap_ms: 100 }.apply(&full, new_key(), 200).is_ok(), "one secret has expired");
    }
}
