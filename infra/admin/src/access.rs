//! `crochet-admin keys`: the API keys and sessions of a profile.

use crochet::app::App;
use crochet::store::StoreError;
use crochet::store::retry::retry_on_conflict;
use crochet_domain::api_key::KeyId;
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::AccountType;
use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use serde_json::json;

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
    let mut revoked = 0;
    for key in app.store.keys_of(profile).await.map_err(|error| error.to_string())? {
        if only.as_ref().is_none_or(|only| *only == key.id) {
            revoked += usize::from(app.store.revoke_key(&key).await.map_err(|error| error.to_string())?);
        }
    }
    if let Some(only) = only {
        return match revoked {
            0 => Err(format!("The profile {profile} has no key {only}.")),
            _ => Ok(format!("The key {only} is revoked.\n")),
        };
    }
    let ended = retry_on_conflict(|| async {
        let Some(person) = app.store.profile(profile).await? else { return Ok(None) };
        if person.account_type == AccountType::Human {
            app.store.close_all_sessions(profile, person.version).await?;
        }
        Ok::<_, StoreError>(Some(()))
    });
    ended.await.map_err(|error| error.to_string())?.ok_or_else(|| format!("There is no profile {profile}."))?;
    Ok(format!("{revoked} keys of the profile {profile} are revoked, and all its sessions have ended.\n"))
}
