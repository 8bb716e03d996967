//! `crochet-admin keys`: the API keys and sessions of a profile.

use crochet::app::App;
use crochet::store::StoreError;
use crochet::store::retry::retry_on_conflict;
use crochet_domain::api_key::KeyId;
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::{AccountType, Profile};
use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use serde_json::json;

use crate::person;
use crate::table::{self, table};

/// The keys of a profile, oldest first, without anything secret.
///
/// # Errors
/// One sentence, if the table cannot be read.
pub(crate) async fn show(app: &App, profile: ProfileId, as_json: bool) -> Result<String, String> {
    let keys = app.store.keys_of(profile).await.map_err(|error| error.to_string())?;
    let at = |ms: i64| rfc3339(from_unix_ms(ms));
    if as_json {
        let shown: Vec<_> = keys
            .iter()
            .map(|key| {
                json!({
                    "id": key.id.to_string(), "name": key.name, "scopes": key.scopes, "created_at": at(key.created_ms),
                    "last_used_at": key.last_used_ms.map(at), "expires_at": key.expires_ms.map(at),
                })
            })
            .collect();
        return table::json(&shown);
    }
    let mut rows = vec![["key", "name", "created", "last used"].map(str::to_owned).to_vec()];
    rows.extend(keys.iter().map(|key| {
        let last = key.last_used_ms.map_or_else(|| "-".to_owned(), at);
        vec![key.id.to_string(), key.name.clone(), at(key.created_ms), last]
    }));
    Ok(table(&rows))
}

/// Revokes one key of a profile, or all keys and sessions. Effective with the next request.
///
/// # Errors
/// One sentence that says why it was not done.
pub(crate) async fn revoke(app: &App, profile: ProfileId, only: Option<KeyId>) -> Result<String, String> {
    let text = |error: StoreError| error.to_string();
    let Some(only) = only else {
        let profile = person::read(app, profile).await?;
        let revoked = end_all(app, &profile).await.map_err(text)?;
        return Ok(format!("{revoked} keys of the profile {} are revoked, and all its sessions have ended.\n", profile.id));
    };
    let key = app.store.keys_of(profile).await.map_err(text)?.into_iter().find(|key| key.id == only);
    let is_revoked = match key {
        Some(key) => app.store.revoke_key(&key).await.map_err(text)?,
        None => false,
    };
    if is_revoked { Ok(format!("The key {only} is revoked.\n")) } else { Err(format!("The profile {profile} has no key {only}.")) }
}

/// Ends every key and every session of a profile: first the keys, then the sessions, then the keys that a session has made meanwhile.
/// Returns how many keys there were.
pub(crate) async fn end_all(app: &App, profile: &Profile) -> Result<usize, StoreError> {
    let id = profile.id;
    let keys = app.store.revoke_all_keys(id).await?;
    if profile.account_type != AccountType::Human {
        return Ok(keys);
    }
    retry_on_conflict(|| async {
        match app.store.profile(id).await? {
            Some(person) => app.store.close_all_sessions(id, person.version).await,
            None => Ok(()),
        }
    })
    .await?;
    Ok(keys + app.store.revoke_all_keys(id).await?)
}
