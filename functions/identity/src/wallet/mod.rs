//! The wallets of a profile: listing, reading, linking and changing them.

pub(crate) mod change;
pub(crate) mod link;
pub(crate) mod list;
pub(crate) mod patch;
pub(crate) mod read;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use crochet::app::App;
use crochet::http::caller::{Agent, trace};
use crochet::http::{ApiError, Code, limits};
use crochet::store::StoreError;
use crochet::wire;
use crochet_domain::api_key::Scope;
use crochet_domain::ids::{ProfileId, WalletId};
use crochet_domain::profile::Profile;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// Another writer of the profile is given way to this often: the challenges are used up already.
const TRIES: usize = 4;

/// One wallet.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OneWallet {
    /// The wallet.
    wallet: wire::profile::Wallet,
}

/// An agent whose key may write, counted against [`limits::PROFILE_WRITES`]. Whether it may is said before the body is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Editor(pub(crate) ProfileId);

impl<S: Send + Sync> FromRequestParts<S> for Editor
where
    App: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let agent = Agent::from_request_parts(parts, state).await?;
        agent.may(Scope::Write)?;
        let app = App::from_ref(state);
        let standing = app.limiter.count(limits::PROFILE_WRITES, &agent.profile.to_string(), app.clock.now()).await?;
        trace(parts).standing(standing);
        standing.check(Code::RateLimited)?;
        Ok(Self(agent.profile))
    }
}

/// A wallet's id, as a path has it.
///
/// # Errors
/// `WALLET_NOT_FOUND`.
fn wallet_id(text: &str) -> Result<WalletId, ApiError> {
    text.parse().map_err(|_| Code::WalletNotFound.into())
}

/// The caller's profile.
///
/// # Errors
/// Where DynamoDB does not answer.
async fn own_profile(app: &App, id: ProfileId) -> Result<Profile, ApiError> {
    found(app.store.profile(id).await?)
}

fn found(profile: Option<Profile>) -> Result<Profile, ApiError> {
    profile.ok_or_else(|| ApiError::internal("a good key has no profile").alarm())
}

/// The wallet with this id.
///
/// # Errors
/// `WALLET_NOT_FOUND`, for a wallet of another profile as well.
fn one_wallet(profile: &Profile, id: WalletId) -> Result<OneWallet, ApiError> {
    let wallet = profile.wallet(id).ok_or(Code::WalletNotFound)?;
    Ok(OneWallet { wallet: wallet.into() })
}

/// What is said where the wallet that signed may not speak for the profile.
fn not_allowed() -> ApiError {
    ApiError::new(Code::ProofWalletNotAllowed).detail("required_capability", "recovery")
}

/// A refusal that comes when the challenges are used up: the same proofs would not do again.
fn used_up(error: ApiError) -> ApiError {
    error.recovery("preserve", json!([])).recovery("discard", json!(Code::ChallengeInvalid.advice().discard))
}

/// Others were in the way each time.
fn too_many_writers() -> ApiError {
    crate::challenge::answer::after_use(StoreError::Conflict)
}
