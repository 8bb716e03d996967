//! The wallets of a profile: listing, reading, linking and changing them.

pub(crate) mod change;
pub(crate) mod link;
pub(crate) mod list;
pub(crate) mod patch;
pub(crate) mod read;

use crochet::app::App;
use crochet::http::caller::Agent;
use crochet::http::limited::{Limited, ProfileWrites};
use crochet::http::{ApiError, Code};
use crochet::store::StoreError;
use crochet::wire;
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

/// An agent whose key may write. That is checked before the body is read.
pub(crate) type Editor = Limited<Agent, ProfileWrites>;

/// A wallet's id, as a path has it.
///
/// # Errors
/// `WALLET_NOT_FOUND`.
fn wallet_id(text: &str) -> Result<WalletId, ApiError> {
    text.parse().map_err(|_| Code::WalletNotFound.into())
}

/// The caller's profile.
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
    error.recovery("preserve", json!([])).recovery("discard", json!(Code::ChallengeInvalid.recovery().discard))
}

/// Others were in the way each time.
fn too_many_writers() -> ApiError {
    crate::challenge::answer::after_use(StoreError::Conflict)
}
