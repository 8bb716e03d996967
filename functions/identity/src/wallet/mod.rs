//! The wallets of a profile: listing, reading, linking and changing them.

pub(crate) mod change;
pub(crate) mod link;
pub(crate) mod list;
pub(crate) mod read;
pub(crate) mod update;

use crochet::app::App;
use crochet::http::{ApiError, Code};
use crochet::wire;
use crochet_domain::ids::{ProfileId, WalletId};
use crochet_domain::profile::Profile;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::caller::own_profile;
use crate::proof::after_use;

/// One wallet.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OneWallet {
    /// The wallet.
    wallet: wire::profile::Wallet,
}

/// Parses a wallet's id in a path.
///
/// # Errors
/// `WALLET_NOT_FOUND`.
fn wallet_id(text: &str) -> Result<WalletId, ApiError> {
    text.parse().map_err(|_| Code::WalletNotFound.into())
}

/// The caller's profile, read after a challenge was used up.
async fn profile_after_use(app: &App, id: ProfileId) -> Result<Profile, ApiError> {
    own_profile(app, id).await.map_err(|error| error.into_api_error(after_use))
}

/// The wallet with this id.
///
/// # Errors
/// `WALLET_NOT_FOUND`, for a wallet of another profile as well.
fn one_wallet(profile: &Profile, id: WalletId) -> Result<OneWallet, ApiError> {
    let wallet = profile.wallet(id).ok_or(Code::WalletNotFound)?;
    Ok(OneWallet { wallet: wallet.into() })
}

/// The error for a wallet that may not authorize changes to the profile.
fn wallet_not_allowed() -> ApiError {
    ApiError::new(Code::ProofWalletNotAllowed).detail("required_capability", "recovery")
}

/// A refusal after the challenges were used up: the same proofs cannot be sent again.
fn used_up(error: ApiError) -> ApiError {
    error.recovery("preserve", json!([])).recovery("discard", json!(Code::ChallengeInvalid.recovery().discard))
}
