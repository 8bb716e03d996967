//! `PATCH /me/wallets/{id}`: change one of the caller's wallets.

use axum::extract::{Path, State};
use crochet::app::App;
use crochet::http::request::Json;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::StoreError;
use crochet::store::retry::Attempts;
use crochet::wire::schema;
use crochet_domain::challenge::Binding;
use crochet_domain::ids::WalletId;
use crochet_domain::listing::Listing;
use crochet_domain::profile::{self, Capability, ChangeWalletError, Profile, WalletStatus};
use crochet_domain::wallet::WalletAddress;
use serde::Deserialize;
use utoipa::ToSchema;

use super::change::{WalletChange, capabilities};
use super::{OneWallet, one_wallet, profile_after_use, used_up, wallet_id, wallet_not_allowed};
use crate::caller::WalletWriter;
use crate::proof::{Proof, SignedAnswer, after_use};
use crate::selling::still_active;

/// A change to a wallet, with the proof that authorizes it. A field that you omit stays as it is.
#[derive(Deserialize, ToSchema)]
pub(crate) struct UpdateWallet {
    /// A challenge of purpose `update_wallet`, signed by an active wallet of the profile that has the capability `recovery`. Its
    /// `wallet_id` is this wallet, and its `change` contains the other fields of this request.
    proof: Proof,
    /// The new capabilities of the wallet.
    #[serde(default, deserialize_with = "capabilities")]
    #[schema(value_type = Option<Vec<schema::Capability>>, max_items = 4)]
    capabilities: Option<Vec<Capability>>,
    /// The capabilities for which it becomes the default of its chain family: `payment`, `payout` or both. The others go
    /// to the oldest wallet of the family that can have them, if there is one.
    #[serde(default, deserialize_with = "capabilities")]
    #[schema(value_type = Option<Vec<schema::Capability>>, max_items = 2)]
    default_for: Option<Vec<Capability>>,
    /// The new status of the wallet. A disabled wallet cannot sign, recover, pay or be paid.
    #[schema(value_type = Option<schema::WalletStatus>)]
    status: Option<WalletStatus>,
}

crochet::error_list!(
    UpdateWalletErrors: WalletWriter, Path<String>, Json<UpdateWallet>, SignedAnswer;
    ProofWalletNotAllowed, WalletNotFound, WouldStrandProfile, ListingsStillActive
);

/// Change a wallet
///
/// A wallet that becomes the default replaces the previous default of its chain family. If a default wallet is disabled or loses the
/// capability, the oldest wallet of the family that can takes over. The profile must keep an active recovery wallet. The first
/// well-formed attempt uses up the challenge, whether it succeeds or not.
#[utoipa::path(patch, path = "/api/v1/me/wallets/{id}", operation_id = "update_wallet", tag = "Identity",
    security(("api_key" = ["write"])), params(("id" = String, Path, description = "The wallet's id.", format = "uuid")), request_body = UpdateWallet,
    responses((status = 200, body = OneWallet, description = "The wallet after the change."), UpdateWalletErrors))]
pub(crate) async fn update_wallet(
    State(state): State<crate::State>,
    WalletWriter { caller, .. }: WalletWriter,
    Path(id): Path<String>,
    Json(request): Json<UpdateWallet>,
) -> Result {
    let crate::State { app, proofs, .. } = &state;
    let UpdateWallet { proof, capabilities, default_for, status } = request;
    let change = WalletChange { capabilities, default_for, status };
    let (profile_id, wallet_id) = (caller.profile, wallet_id(&id)?);
    let binding = Binding::UpdateWallet { profile_id, wallet_id, change: change.canonical_at("")? };
    let answer = SignedAnswer::read_at("proof", proof, proofs.max_signature_chars().await)?;
    let now = app.clock.now();
    let challenge = app.store.take_challenge(&answer.nonce).await.map_err(after_use)?;
    answer.verify(proofs, challenge.as_ref(), &binding, now).await?;
    let profile = profile_after_use(app, profile_id).await?;
    let profile = change_wallet(app, profile, &answer.wallet, wallet_id, &change.into()).await?;
    app.store.refresh_seller_summaries(&profile, now).await;
    Reply::ok::<OneWallet>(one_wallet(&profile, wallet_id)?)
}

/// How a seller gets on without the payout wallet.
const WAY_OUT: &str = "Link another wallet with the capability payout (POST /me/wallets), or suspend the listings named in \
    details.listing_ids with DELETE /listings/:id. Then request a new challenge with POST /auth/challenge, and repeat the change.";

/// Changes the wallet in the present profile.
async fn change_wallet(
    app: &App,
    mut profile: Profile,
    signer: &WalletAddress,
    id: WalletId,
    change: &profile::WalletChange,
) -> Result<Profile> {
    let mut attempts = Attempts::default();
    loop {
        if !profile.recovers_with(signer) {
            return Err(wallet_not_allowed());
        }
        let after = profile.change_wallet(id, change).map_err(refused)?;
        if after == profile {
            return Ok(profile);
        }
        if !profile.payout_chains().is_empty() && after.payout_chains().is_empty() {
            let message = "Active paid listings need this payout wallet; link another one, or suspend them first.";
            let error = still_active(app, &after, Listing::is_paid, message).await.map_err(after_use)?;
            if let Some(error) = error {
                return Err(used_up(error).recovery("summary", WAY_OUT));
            }
        }
        match app.store.save_profile(&after, false).await {
            Ok(()) => return Ok(after),
            Err(StoreError::Conflict) => attempts.next_or(StoreError::Conflict).await.map_err(after_use)?,
            Err(error) => return Err(after_use(error)),
        }
        profile = profile_after_use(app, profile.id).await?;
    }
}

fn refused(reason: ChangeWalletError) -> ApiError {
    used_up(match reason {
        ChangeWalletError::NotFound => Code::WalletNotFound.into(),
        ChangeWalletError::WouldStrand => Code::WouldStrandProfile.into(),
        ChangeWalletError::CannotBeDefault(capability) => ApiError::field(
            "default_for",
            &format!(
                "contains {capability}, but after this change the wallet would not be active with that capability",
                capability = capability.as_str()
            ),
        ),
    })
}
