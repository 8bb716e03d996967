//! Generating API keys.

use crochet::store::api_key::ApiKeyRecord;
use crochet_domain::api_key::{ApiKey, Scope};
use crochet_domain::profile::Profile;
use crochet_domain::timestamp::unix_ms;
use time::OffsetDateTime;

/// Name, scopes and expiry of a key to generate.
#[derive(Debug, Clone)]
pub(crate) struct KeySpec {
    pub(crate) name: String,
    pub(crate) scopes: Vec<Scope>,
    /// Unix milliseconds.
    pub(crate) expires_ms: Option<i64>,
}

/// A new key for `profile` that may read and write and never expires, with the record to store.
pub(crate) fn full_access_key(profile: &Profile, name: &str, now: OffsetDateTime) -> (ApiKey, ApiKeyRecord) {
    let spec = KeySpec { name: name.to_owned(), scopes: vec![Scope::Read, Scope::Write], expires_ms: None };
    new_key(profile, spec, now)
}

/// A new key for `profile`, with the record to store.
pub(crate) fn new_key(profile: &Profile, spec: KeySpec, now: OffsetDateTime) -> (ApiKey, ApiKeyRecord) {
    let key = ApiKey::generate();
    let stored = ApiKeyRecord {
        id: key.id().clone(),
        hash: key.hash(),
        profile: profile.id,
        role: profile.role,
        suspended: profile.suspended,
        name: spec.name,
        scopes: spec.scopes,
        created_ms: unix_ms(now),
        last_used_ms: None,
        expires_ms: spec.expires_ms,
    };
    (key, stored)
}
