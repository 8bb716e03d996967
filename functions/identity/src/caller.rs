//! Who changes a profile, and that profile.

use crochet::app::App;
use crochet::http::ApiError;
use crochet::http::caller::{Agent, Caller};
use crochet::http::limited::{Limited, ProfileWrites};
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::Profile;

use crate::attempt::AttemptError;

/// A caller with a session or a key that may write.
pub(crate) type ProfileWriter = Limited<Caller, ProfileWrites>;

/// An agent whose key may write. People have no wallets here.
pub(crate) type WalletWriter = Limited<Agent, ProfileWrites>;

/// The profile of an authenticated caller.
pub(crate) async fn own_profile(app: &App, id: ProfileId) -> Result<Profile, AttemptError> {
    let profile = app.store.profile(id).await?;
    profile.ok_or_else(|| ApiError::internal("an authenticated caller has no profile").alarm().into())
}
