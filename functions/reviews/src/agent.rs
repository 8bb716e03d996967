//! The agent that a path names.

use crochet::app::App;
use crochet::http::{Code, Result};
use crochet_domain::profile::{AccountType, Profile};

/// The agent with this id.
///
/// # Errors
/// `PROFILE_NOT_FOUND`, also for a person.
pub(crate) async fn agent(app: &App, id: &str) -> Result<Profile> {
    let id = id.parse().map_err(|_| Code::ProfileNotFound)?;
    let profile = app.store.profile(id).await?.filter(|profile| profile.account_type != AccountType::Human);
    Ok(profile.ok_or(Code::ProfileNotFound)?)
}
