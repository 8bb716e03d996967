//! `POST /me/wallets`: link another wallet to the caller's profile.

use axum::extract::State;
use crochet::app::App;
use crochet::http::request::{Json, List};
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::StoreError;
use crochet::store::retry::Attempts;
use crochet::store::wallet::LinkWalletError;
use crochet::wire::schema;
use crochet_domain::challenge::Binding;
use crochet_domain::ids::WalletId;
use crochet_domain::profile::{Capability, LinkError, MAX_WALLETS, Profile, Wallet, WalletStatus};
use crochet_domain::timestamp::unix_ms;
use crochet_domain::unknown::Unknown;
use crochet_domain::wallet::WalletAddress;
use serde::Deserialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{OneWallet, one_wallet, profile_after_use, used_up, wallet_not_allowed};
use crate::caller::WalletWriter;
use crate::proof::{Proof, SignedAnswer, after_use};

/// The wallet to link, with two proofs: one by a recovery wallet of the profile, one by the new wallet.
#[derive(Deserialize, ToSchema)]
pub(crate) struct LinkWallet {
    /// A challenge of purpose `link_wallet`, signed by an active wallet of the profile that has the capability `recovery`.
    existing_wallet: Proof,
    /// A challenge signed by the new wallet: the same one, or one of its own that names the same profile and wallet.
    new_wallet: Proof,
    /// What the wallet may be used for. The default is all four capabilities.
    #[schema(value_type = Option<Vec<schema::Capability>>, min_items = 1, max_items = 4)]
    capabilities: Option<List<Capability, 4>>,
}

/// A well-formed request.
struct Link {
    existing: SignedAnswer,
    new: SignedAnswer,
    capabilities: Vec<Capability>,
}

impl LinkWallet {
    fn read(self, max_signature_chars: usize) -> Result<Link> {
        let capabilities = self.capabilities.map_or_else(|| Capability::ALL.to_vec(), |asked| Capability::in_order(&asked.0));
        if capabilities.is_empty() {
            return Err(ApiError::field("capabilities", "must contain at least one capability, or be omitted for all four"));
        }
        let read = |place, proof| SignedAnswer::read_at(place, proof, max_signature_chars);
        Ok(Link {
            existing: read("existing_wallet", self.existing_wallet)?,
            new: read("new_wallet", self.new_wallet)?,
            capabilities,
        })
    }
}

impl Link {
    /// The wallet to add. The profile decides what it is the default for.
    fn wallet(&self, now: OffsetDateTime) -> Wallet {
        Wallet {
            id: WalletId::generate(now),
            address: self.new.wallet.clone(),
            capabilities: self.capabilities.clone(),
            default_for: Vec::new(),
            status: WalletStatus::Active,
            created_ms: unix_ms(now),
            unknown: Unknown::default(),
        }
    }
}

crochet::error_list!(LinkWalletErrors: WalletWriter, Json<LinkWallet>, SignedAnswer; ProofWalletNotAllowed, WalletAlreadyLinked, WalletLimit);

/// Link another wallet
///
/// Both wallets sign a challenge of purpose `link_wallet` with your `profile_id` and the `new_wallet_address`: each its own, or both
/// the same one. The new wallet becomes the default for `payment` and `payout` if its chain family has none. The first well-formed
/// attempt uses up the challenges, whether it succeeds or not.
#[utoipa::path(post, path = "/api/v1/me/wallets", operation_id = "link_wallet", tag = "Identity",
    security(("api_key" = ["write"])), request_body = LinkWallet,
    responses((status = 201, body = OneWallet, description = "The wallet."), LinkWalletErrors))]
pub(crate) async fn link_wallet(
    State(state): State<crate::State>,
    WalletWriter { caller, .. }: WalletWriter,
    Json(request): Json<LinkWallet>,
) -> Result {
    let crate::State { app, proofs, .. } = &state;
    let id = caller.profile;
    let link = request.read(proofs.max_signature_chars().await)?;
    let now = app.clock.now();
    let binding = Binding::LinkWallet { profile_id: id, new_wallet_address: link.new.wallet.clone() };
    let taken = app.store.take_challenges(&link.existing.nonce, &link.new.nonce).await.map_err(after_use)?;
    let [for_existing, for_new] = &taken;
    let (existing, new) = tokio::join!(
        link.existing.verify(proofs, for_existing.as_ref(), &binding, now),
        link.new.verify(proofs, for_new.as_ref(), &binding, now),
    );
    existing.map_err(|error| error.detail("proof", "existing_wallet"))?;
    new.map_err(|error| error.detail("proof", "new_wallet"))?;
    let profile = profile_after_use(app, id).await?;
    let wallet = link.wallet(now);
    let profile = add(app, profile, &link.existing.wallet, &wallet).await?;
    app.store.refresh_seller_summaries(&profile, now).await;
    Reply::created::<OneWallet>(one_wallet(&profile, wallet.id)?)
}

/// Adds the wallet to the present profile.
async fn add(app: &App, mut profile: Profile, existing: &WalletAddress, wallet: &Wallet) -> Result<Profile> {
    let mut attempts = Attempts::default();
    loop {
        if !profile.recovers_with(existing) {
            return Err(wallet_not_allowed());
        }
        let after = profile.link(wallet.clone()).map_err(refused)?;
        match app.store.link_wallet(&after, wallet).await {
            Ok(()) => return Ok(after),
            Err(LinkWalletError::Taken) => return Err(Code::WalletAlreadyLinked.into()),
            Err(LinkWalletError::Store(StoreError::Conflict)) => profile = profile_after_use(app, profile.id).await?,
            Err(LinkWalletError::Store(error)) => return Err(after_use(error)),
        }
        // The id is ours, so the reply to our own write was lost.
        if profile.wallet(wallet.id).is_some() {
            return Ok(profile);
        }
        attempts.next_or(StoreError::Conflict).await.map_err(after_use)?;
    }
}

fn refused(reason: LinkError) -> ApiError {
    match reason {
        LinkError::TooMany => ApiError::new(Code::WalletLimit).detail("max_wallets", MAX_WALLETS),
        LinkError::AlreadyLinked(id) => used_up(ApiError::new(Code::WalletAlreadyLinked))
            .message("This wallet is already linked to your profile.")
            .detail("wallet_id", id.to_string())
            .recovery("next_action", "use_linked_wallet")
            .recovery("summary", "Use it. GET /me/wallets/:id shows what it may do, and PATCH /me/wallets/:id changes that."),
    }
}
