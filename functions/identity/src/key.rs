//! Making API keys.

use crochet::clock::unix_ms;
use crochet::domain::api_key::{ApiKey, Scope};
use crochet::domain::profile::Profile;
use crochet::store::api_key::StoredKey;
use time::OffsetDateTime;

/// A fresh key for `profile` that may read and write and does not end, and what is stored of it.
pub(crate) fn fresh(profile: &Profile, name: &str, now: OffsetDateTime) -> (ApiKey, StoredKey) {
    let key = ApiKey::generate();
    let stored = StoredKey {
        id: key.id().clone(),
        hash: key.hash(),
        profile: profile.id,
        role: profile.role,
        name: name.to_owned(),
        scopes: vec![Scope::Read, Scope::Write],
        created_ms: unix_ms(now),
        last_used_ms: None,
        expires_ms: None,
    };
    (key, stored)
}
