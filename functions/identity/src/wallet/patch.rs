//! `PATCH /me/wallets/:id`: change what a wallet of the caller's profile may do.

use axum::extract::{Path, State};
use crochet::app::App;
use crochet::http::request::Json;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::StoreError;
use crochet::wire::schema;
use crochet_domain::challenge::Binding;
use crochet_domain::ids::WalletId;
use crochet_domain::profile::{self, Capability, ChangeRefused, Profile, WalletStatus};
use crochet_domain::wallet::WalletAddress;
use serde::Deserialize;
use utoipa::ToSchema;

use super::change::{WalletChange, capabilities};
use super::{Editor, OneWallet, TRIES, found, not_allowed, one_wallet, too_many_writers, used_up, wallet_id};
use crate::challenge::answer::{Answer, Proof, after_use};

/// A change, with the proof that it is wanted. What is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ProvenChange {
    /// The answer of an active wallet of the profile that has the capability `recovery`, to a challenge of purpose
    /// `update_wallet` with this `wallet_id` and, as its `change`, the other fields of this request.
    proof: Proof,
    /// What the wallet may be used for from now on.
    #[serde(default, deserialize_with = "capabilities")]
    #[schema(value_type = Option<Vec<schema::Capability>>, max_items = 4)]
    capabilities: Option<Vec<Capability>>,
    /// For which of `payment` and `payout` it becomes the first choice within its chain family, in its sibling's place. For the
    /// others the oldest sibling that can takes over; where none can, it stays the first choice.
    #[serde(default, deserialize_with = "capabilities")]
    #[schema(value_type = Option<Vec<schema::Capability>>, max_items = 2)]
    default_for: Option<Vec<Capability>>,
    /// Whether it is in use. A disabled wallet neither recovers, proves, pays nor is paid.
    #[schema(value_type = Option<schema::WalletStatus>)]
    status: Option<WalletStatus>,
}

crochet::error_list!(
    UpdateWalletErrors: Editor, Path<String>, Json<ProvenChange>, Answer;
    ProofWalletNotAllowed, WalletNotFound, WouldStrandProfile
);

/// Change a wallet
///
/// A wallet that becomes the default takes the place of its sibling of the same chain family; one that is disabled or loses a
/// capability leaves its defaults to the oldest sibling that can. Nothing may leave the profile without an active recovery wallet.
/// The challenge is used up by the first well-formed attempt, good or bad.
#[utoipa::path(patch, path = "/api/v1/me/wallets/{id}", operation_id = "update_wallet", tag = "Identity",
    security(("api_key" = ["write"])), params(("id" = String, Path, description = "The wallet's id.")), request_body = ProvenChange,
    responses((status = 200, body = OneWallet, description = "The wallet after the change."), UpdateWalletErrors))]
pub(crate) async fn update_wallet(
    State(state): State<crate::State>,
    Editor { caller, .. }: Editor,
    Path(id): Path<String>,
    Json(request): Json<ProvenChange>,
) -> Result {
    let crate::State { app, proofs, .. } = &state;
    let ProvenChange { proof, capabilities, default_for, status } = request;
    let change = WalletChange { capabilities, default_for, status };
    let (profile_id, wallet_id) = (caller.profile, wallet_id(&id)?);
    let binding = Binding::UpdateWallet { profile_id, wallet_id, change: change.canonical_at("")? };
    let answer = Answer::read_at("proof", proof, proofs.max_signature_chars())?;
    let now = app.clock.now();
    let challenge = app.store.take_challenge(&answer.nonce).await.map_err(after_use)?;
    answer.judge(proofs, challenge.as_ref(), &binding, now).await?;
    let profile = found(app.store.profile(profile_id).await.map_err(after_use)?)?;
    let profile = change_wallet(app, profile, &answer.wallet, wallet_id, &change.into()).await?;
    app.store.bring_listings_up(&profile, now).await;
    Reply::ok::<OneWallet>(one_wallet(&profile, wallet_id)?)
}

/// Changes the wallet in the profile as it is now.
async fn change_wallet(
    app: &App,
    mut profile: Profile,
    signer: &WalletAddress,
    id: WalletId,
    change: &profile::WalletChange,
) -> Result<Profile> {
    for _ in 0..TRIES {
        if !profile.recovers_with(signer) {
            return Err(not_allowed());
        }
        let after = profile.change_wallet(id, change).map_err(refused)?;
        if after == profile {
            return Ok(profile);
        }
        match app.store.save_profile(&after, false).await {
            Ok(true) => return Ok(after),
            Ok(false) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(after_use(error)),
        }
        profile = found(app.store.profile(profile.id).await.map_err(after_use)?)?;
    }
    Err(too_many_writers())
}

fn refused(reason: ChangeRefused) -> ApiError {
    used_up(match reason {
        ChangeRefused::NotFound => Code::WalletNotFound.into(),
        ChangeRefused::WouldStrand => Code::WouldStrandProfile.into(),
        ChangeRefused::CannotBeDefault(capability) => ApiError::field(
            "default_for",
            &format!(
                "names {capability}: after this change the wallet must be active and have that capability",
                capability = capability.as_str()
            ),
        ),
    })
}
