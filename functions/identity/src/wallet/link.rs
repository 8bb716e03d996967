//! `POST /me/wallets`: link another wallet to the caller's profile.

use axum::extract::State;
use crochet::app::App;
use crochet::http::request::{Json, List};
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::wallet::Linked;
use crochet::wire::schema;
use crochet_domain::challenge::Binding;
use crochet_domain::ids::WalletId;
use crochet_domain::profile::{Capability, LinkRefused, MAX_WALLETS, Profile, Wallet, WalletStatus};
use crochet_domain::timestamp::unix_ms;
use crochet_domain::wallet::WalletAddress;
use serde::Deserialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{Editor, OneWallet, TRIES, found, not_allowed, one_wallet, too_many_writers, used_up};
use crate::challenge::answer::{Answer, Proof, after_use};

/// Two proofs: one by a wallet that may speak for the profile, one by the wallet that is to be linked.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewLink {
    /// The answer of an active wallet of the profile that has the capability `recovery`, to a challenge of purpose `link_wallet`.
    existing_wallet: Proof,
    /// The answer of the wallet to be linked, to a challenge of its own that names the same, or to the same one.
    new_wallet: Proof,
    /// What the wallet may be used for; all four by default.
    #[schema(value_type = Option<Vec<schema::Capability>>, min_items = 1, max_items = 4)]
    capabilities: Option<List<Capability, 4>>,
}

/// A link that is well-formed.
struct Link {
    existing: Answer,
    new: Answer,
    capabilities: Vec<Capability>,
}

impl NewLink {
    fn read(self, max_signature_chars: usize) -> Result<Link> {
        let capabilities = self.capabilities.map_or_else(|| Capability::ALL.to_vec(), |asked| Capability::in_order(&asked.0));
        if capabilities.is_empty() {
            return Err(ApiError::field("capabilities", "must name at least one capability, or be left out for all four"));
        }
        let read = |place, proof| Answer::read_at(place, proof, max_signature_chars);
        Ok(Link {
            existing: read("existing_wallet", self.existing_wallet)?,
            new: read("new_wallet", self.new_wallet)?,
            capabilities,
        })
    }
}

impl Link {
    /// The wallet as the profile will have it; the profile decides for what it is the first choice.
    fn wallet(&self, now: OffsetDateTime) -> Wallet {
        Wallet {
            id: WalletId::generate(now),
            address: self.new.wallet.clone(),
            capabilities: self.capabilities.clone(),
            default_for: Vec::new(),
            status: WalletStatus::Active,
            created_ms: unix_ms(now),
        }
    }
}

crochet::error_list!(LinkWalletErrors: Editor, Json<NewLink>, Answer; ProofWalletNotAllowed, WalletAlreadyLinked, WalletLimit);

/// Link another wallet
///
/// Both wallets sign: each answers a challenge of purpose `link_wallet` with your `profile_id` and the `new_wallet_address`, or both
/// sign one and the same. The new wallet becomes the default for `payment` and `payout` where its chain family has none.
/// The challenges are used up by the first well-formed attempt, good or bad.
#[utoipa::path(post, path = "/api/v1/me/wallets", operation_id = "link_wallet", tag = "Identity",
    security(("api_key" = ["write"])), request_body = NewLink,
    responses((status = 201, body = OneWallet, description = "The wallet."), LinkWalletErrors))]
pub(crate) async fn link_wallet(
    State(state): State<crate::State>,
    Editor { caller, .. }: Editor,
    Json(request): Json<NewLink>,
) -> Result {
    let crate::State { app, proofs, .. } = &state;
    let id = caller.profile;
    let link = request.read(proofs.max_signature_chars())?;
    let now = app.clock.now();
    let binding = Binding::LinkWallet { profile_id: id, new_wallet_address: link.new.wallet.clone() };
    let taken = app.store.take_challenges(&link.existing.nonce, &link.new.nonce).await.map_err(after_use)?;
    let [for_existing, for_new] = &taken;
    let (existing, new) = tokio::join!(
        link.existing.judge(proofs, for_existing.as_ref(), &binding, now),
        link.new.judge(proofs, for_new.as_ref(), &binding, now),
    );
    existing.map_err(|error| error.detail("proof", "existing_wallet"))?;
    new.map_err(|error| error.detail("proof", "new_wallet"))?;
    let profile = found(app.store.profile(id).await.map_err(after_use)?)?;
    let wallet = link.wallet(now);
    let profile = add(app, profile, &link.existing.wallet, &wallet).await?;
    app.store.bring_listings_up(&profile, now).await;
    Reply::created::<OneWallet>(one_wallet(&profile, wallet.id)?)
}

/// Adds the wallet to the profile as it is now.
async fn add(app: &App, mut profile: Profile, existing: &WalletAddress, wallet: &Wallet) -> Result<Profile> {
    for _ in 0..TRIES {
        if !profile.recovers_with(existing) {
            return Err(not_allowed());
        }
        let after = profile.link(wallet.clone()).map_err(refused)?;
        match app.store.link_wallet(&after, wallet).await.map_err(after_use)? {
            Linked::Done => return Ok(after),
            Linked::Taken => return Err(Code::WalletAlreadyLinked.into()),
            Linked::ReadAgain => profile = found(app.store.profile(profile.id).await.map_err(after_use)?)?,
        }
        // Nobody else knows this id: the reply to our own write was lost.
        if profile.wallet(wallet.id).is_some() {
            return Ok(profile);
        }
    }
    Err(too_many_writers())
}

fn refused(reason: LinkRefused) -> ApiError {
    match reason {
        LinkRefused::TooMany => ApiError::new(Code::WalletLimit).detail("max_wallets", MAX_WALLETS),
        LinkRefused::AlreadyLinked(id) => used_up(ApiError::new(Code::WalletAlreadyLinked))
            .message("This wallet is linked to your profile already.")
            .detail("wallet_id", id.to_string())
            .recovery("next_action", "use_linked_wallet")
            .recovery("summary", "Use it: GET /me/wallets/:id shows what it may do, and PATCH /me/wallets/:id changes that."),
    }
}
