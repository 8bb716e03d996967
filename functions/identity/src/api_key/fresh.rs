//! Making API keys.

use crochet::store::api_key::ApiKeyRecord;
use crochet_domain::api_key::{ApiKey, Scope};
use crochet_domain::profile::Profile;
use crochet_domain::timestamp::unix_ms;
use time::OffsetDateTime;

/// What a key is called, what it may do, and when it ends.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) name: String,
    pub(crate) scopes: Vec<Scope>,
    /// Unix milliseconds.
    pub(crate) expires_ms: Option<i64>,
}

/// A fresh key for `profile` that may read and write and does not end, and what is stored of it.
pub(crate) fn fresh(profile: &Profile, name: &str, now: OffsetDateTime) -> (ApiKey, ApiKeyRecord) {
    let terms = Terms { name: name.to_owned(), scopes: vec![Scope::Read, Scope::Write], expires_ms: None };
    on_terms(profile, terms, now)
}

/// A fresh key for `profile` on these terms, and what is stored of it.
pub(crate) fn on_terms(profile: &Profile, terms: Terms, now: OffsetDateTime) -> (ApiKey, ApiKeyRecord) {
    let key = ApiKey::generate();
    let stored = ApiKeyRecord {
        id: key.id().clone(),
        hash: key.hash(),
        profile: profile.id,
        role: profile.role,
        name: terms.name,
        scopes: terms.scopes,
        created_ms: unix_ms(now),
        last_used_ms: None,
        expires_ms: terms.expires_ms,
    };
    (key, stored)
}
