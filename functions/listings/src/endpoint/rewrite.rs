//! What becomes of an endpoint's secret: another URL or header, or a new signing secret.

use crochet::endpoint_secrets::{AuthHeader, EndpointSecret, SigningKey};
use crochet::http::{ApiError, Code, Result};
use crochet::outbound::EndpointUrl;
use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use crochet_domain::webhook_signature::SigningSecret;

use super::secret::First;

/// Secrets that sign at the same time, at most: each one makes every call's signature header longer.
pub(crate) const MAX_LIVE_SECRETS: usize = 5;

/// What is to change in a secret.
pub(crate) enum Rewrite {
    /// Another URL, another header or none; what is `None` stays.
    Set { url: Option<EndpointUrl>, header: Option<Option<AuthHeader>> },
    /// A new signing secret. Those before it sign for so long (milliseconds), or to their own end where that is sooner; with 0
    /// they end at once.
    Rotate { overlap_ms: i64 },
}

/// A secret as it is to be, and what the listing's item has to say of it.
pub(crate) struct Rewritten {
    /// Everything secret.
    pub(crate) secret: EndpointSecret,
    /// The new signing secret, to be shown once.
    pub(crate) shown: Option<String>,
}

impl Rewrite {
    /// The URL that calls would go to, where that changes.
    pub(crate) fn url(&self) -> Option<&EndpointUrl> {
        match self {
            Self::Set { url, .. } => url.as_ref(),
            Self::Rotate { .. } => None,
        }
    }

    /// A whole endpoint, where there is a URL for one: the first, or one in place of a secret that is lost.
    pub(crate) fn anew(&self, now_ms: i64) -> Option<First> {
        match self {
            Self::Set { url: Some(url), header } => Some(First::at(url, header.clone().flatten(), now_ms)),
            _ => None,
        }
    }

    /// The secret after `before`; `None` where it says so already.
    ///
    /// # Errors
    /// `TOO_MANY_LIVE_SECRETS`.
    pub(crate) fn of(&self, before: &EndpointSecret, now_ms: i64) -> Result<Option<Rewritten>> {
        let live = |key: &&SigningKey| key.not_after_ms.is_none_or(|end| now_ms < end);
        let mut keys: Vec<SigningKey> = before.keys.iter().filter(live).cloned().collect();
        match self {
            Self::Set { url, header } => {
                let url = url.as_ref().map_or(before.url.as_str(), EndpointUrl::reveal);
                let header = header.as_ref().unwrap_or(&before.header);
                if url == before.url && same(header.as_ref(), before.header.as_ref()) {
                    return Ok(None);
                }
                let secret = EndpointSecret { url: url.to_owned(), header: header.clone(), keys };
                Ok(Some(Rewritten { secret, shown: None }))
            }
            Self::Rotate { overlap_ms } => {
                if *overlap_ms <= 0 {
                    keys.clear();
                }
                if keys.len() >= MAX_LIVE_SECRETS {
                    return Err(too_many(&keys, now_ms));
                }
                let end = now_ms + overlap_ms;
                for key in &mut keys {
                    key.not_after_ms = Some(key.not_after_ms.map_or(end, |own| own.min(end)));
                }
                let fresh = SigningSecret::generate();
                let shown = Some(fresh.reveal());
                keys.insert(0, SigningKey { secret: fresh, not_after_ms: None });
                let secret = EndpointSecret { url: before.url.clone(), header: before.header.clone(), keys };
                Ok(Some(Rewritten { secret, shown }))
            }
        }
    }
}

impl Rewritten {
    /// Names of the headers that are added for the seller.
    pub(crate) fn header_names(&self) -> Vec<String> {
        self.secret.header.iter().map(|header| header.name.clone()).collect()
    }

    /// When the last of the earlier signing secrets ends (Unix milliseconds).
    pub(crate) fn earlier_end_ms(&self) -> Option<i64> {
        self.secret.keys.iter().filter_map(|key| key.not_after_ms).max()
    }
}

/// Whether both are the same header. What is compared is the caller's own, and known to it: time tells nothing.
fn same(one: Option<&AuthHeader>, other: Option<&AuthHeader>) -> bool {
    one.map(|header| (&header.name, &header.value)) == other.map(|header| (&header.name, &header.value))
}

fn too_many(keys: &[SigningKey], now_ms: i64) -> ApiError {
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
        let key = |end: &Option<i64>| SigningKey { secret: SigningSecret::generate(), not_after_ms: *end };
        let keys = ends.iter().map(key).collect();
        EndpointSecret { url: url("https://example.com/a").reveal().to_owned(), header: Some(header("v")), keys }
    }

    fn rewritten(rewrite: &Rewrite, before: &EndpointSecret, now_ms: i64) -> Rewritten {
        rewrite.of(before, now_ms).expect("allowed").expect("a change")
    }

    fn ends(of: &Rewritten) -> Vec<Option<i64>> {
        of.secret.keys.iter().map(|key| key.not_after_ms).collect()
    }

    #[test]
    fn what_is_left_out_stays_and_keys_that_have_ended_go() {
        let before = secret(&[None, Some(5), Some(9)]);
        let set = Rewrite::Set { url: Some(url("https://example.com/b")), header: None };
        let after = rewritten(&set, &before, 5);
        assert_eq!((after.secret.url.as_str(), ends(&after)), ("https://example.com/b", vec![None, Some(9)]));
        assert!(same(after.secret.header.as_ref(), Some(&header("v"))));
        assert_eq!((after.header_names(), after.earlier_end_ms()), (vec!["X-Key".to_owned()], Some(9)));
        assert!(after.shown.is_none(), "the signing secret stays");
        let none = rewritten(&Rewrite::Set { url: None, header: Some(None) }, &before, 5);
        assert!(none.secret.header.is_none() && none.secret.url == before.url && none.header_names().is_empty());
    }

    #[test]
    fn the_same_again_is_no_change() {
        let before = secret(&[None]);
        for (url, header) in [
            (None, None),
            (Some(url("https://example.com/a")), None),
            (None, Some(Some(header("v")))),
            (Some(url("https://example.com/a")), Some(Some(header("v")))),
        ] {
            assert!(Rewrite::Set { url, header }.of(&before, 0).expect("allowed").is_none());
        }
        assert!(Rewrite::Set { url: None, header: Some(Some(header("w"))) }.of(&before, 0).expect("allowed").is_some());
    }

    #[test]
    fn a_rotation_ends_earlier_secrets_after_the_overlap_or_at_their_own_end() {
        let before = secret(&[None, Some(150), Some(900)]);
        let after = rewritten(&Rewrite::Rotate { overlap_ms: 100 }, &before, 100);
        assert_eq!((ends(&after), after.earlier_end_ms()), (vec![None, Some(200), Some(150), Some(200)], Some(200)));
        assert_eq!(after.shown, Some(after.secret.keys[0].secret.reveal()));
        assert_eq!(after.secret.keys[1].secret.reveal(), before.keys[0].secret.reveal());
        let at_once = rewritten(&Rewrite::Rotate { overlap_ms: 0 }, &before, 100);
        assert_eq!((ends(&at_once), at_once.earlier_end_ms()), (vec![None], None));
    }

    #[test]
    fn five_secrets_sign_at_most() {
        let full = secret(&[None, Some(500), Some(400), Some(300), Some(200)]);
        let error = Rewrite::Rotate { overlap_ms: 100 }.of(&full, 100).err().expect("a sixth");
        assert_eq!((error.code(), error.retry_after_seconds()), (Code::TooManyLiveSecrets, Some(1)));
        assert!(Rewrite::Rotate { overlap_ms: 0 }.of(&full, 100).is_ok(), "the way out");
        assert!(Rewrite::Rotate { overlap_ms: 100 }.of(&full, 200).is_ok(), "the other way out");
    }
}
