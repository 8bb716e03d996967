//! `POST /auth/recover`: issue a new API key to a wallet that can recover its profile.

use axum::extract::State;
use crochet::app::App;
use crochet::http::caller::Anonymous;
use crochet::http::limited::AuthLimit;
use crochet::http::request::Json;
use crochet::http::{Code, Reply, Result};
use crochet::store::StoreError;
use crochet::store::api_key::ApiKeyRecord;
use crochet::store::retry::Attempts;
use crochet::wire::profile::Issued;
use crochet_domain::api_key::ApiKey;
use crochet_domain::challenge::Binding;
use crochet_domain::profile::Profile;
use crochet_domain::wallet::WalletAddress;
use serde::Deserialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::api_key::issue::full_access_key;
use crate::proof::{Proof, SignedAnswer, after_use};

/// A signed challenge of purpose `recover`.
#[derive(Deserialize, ToSchema)]
pub(crate) struct RecoverKey {
    /// The wallet that signed.
    #[schema(pattern = "^(0x[0-9A-Fa-f]{40}|[1-9A-HJ-NP-Za-km-z]{32,44})$")]
    wallet_address: String,
    /// Its signature over the challenge's message: of an EVM wallet in hex, of a Solana wallet in base58 or hex, over the message or
    /// its off-chain envelope. At most 200 characters, unless the deployment supports contract wallets.
    #[schema(min_length = 1, max_length = 16_384)]
    signature: String,
    /// The nonce of the challenge.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    nonce: String,
    /// The solution of the proof of work.
    #[schema(min_length = 1, max_length = 64, pattern = "^[!-~ ]{1,64}$")]
    pow_nonce: String,
    /// `true` revokes every other key of the profile. The default is `false`.
    revoke_existing_keys: Option<bool>,
}

impl RecoverKey {
    /// The signed challenge.
    fn proof(&self) -> Proof {
        Proof {
            wallet_address: self.wallet_address.clone(),
            signature: self.signature.clone(),
            nonce: self.nonce.clone(),
            pow_nonce: Some(self.pow_nonce.clone()),
        }
    }
}

crochet::error_list!(
    RecoverErrors: Anonymous<AuthLimit>, Json<RecoverKey>, SignedAnswer;
    PowInvalid, WalletNotRegistered, WalletCannotRecover
);

/// Get a new API key for the profile of a wallet.
///
/// The first well-formed attempt uses up the challenge, whether it succeeds or not. With `revoke_existing_keys` every other key is
/// revoked. Without it, a profile that has 45 keys loses its oldest one.
#[utoipa::path(post, path = "/api/v1/auth/recover", operation_id = "recover", tag = "Identity", request_body = RecoverKey,
    responses((status = 200, body = Issued, description = "The key, shown only once."), RecoverErrors))]
pub(crate) async fn recover(State(state): State<crate::State>, _: Anonymous<AuthLimit>, Json(request): Json<RecoverKey>) -> Result {
    let crate::State { app, proofs, .. } = &state;
    let answer = SignedAnswer::read(request.proof(), proofs.max_signature_chars().await)?;
    let now = app.clock.now();
    let challenge = app.store.take_challenge(&answer.nonce).await.map_err(after_use)?;
    answer.verify(proofs, challenge.as_ref(), &Binding::Recover, now).await?;
    // Read after the verification: without a valid signature not even the response time may tell whether a wallet is registered.
    let profile = app.store.profile_of_wallet(&answer.wallet).await.map_err(after_use)?.ok_or(Code::WalletNotRegistered)?;
    let revoke_others = request.revoke_existing_keys.unwrap_or(false);
    let (profile, key, stored) = issue(app, profile, &answer.wallet, revoke_others, now).await?;
    let operator = app.store.operator_of(&profile).await.map_err(after_use)?;
    Reply::ok(Issued::new(&profile, operator.as_ref(), &key, &stored))
}

/// Adds a new key to the profile, as long as the wallet may recover it.
async fn issue(
    app: &App,
    mut profile: Profile,
    wallet: &WalletAddress,
    revoke_others: bool,
    now: OffsetDateTime,
) -> Result<(Profile, ApiKey, ApiKeyRecord)> {
    let mut attempts = Attempts::default();
    loop {
        if !profile.recovers_with(wallet) {
            return Err(Code::WalletCannotRecover.into());
        }
        let (key, stored) = full_access_key(&profile, "recovery", now);
        match app.store.issue_key(&stored, profile.version, revoke_others).await {
            Ok(()) => return Ok((profile, key, stored)),
            Err(StoreError::Conflict) => attempts.next_or(StoreError::Conflict).await.map_err(after_use)?,
            Err(error) => return Err(after_use(error)),
        }
        let read = app.store.profile(profile.id).await.map_err(after_use)?;
        profile = read.ok_or(Code::WalletNotRegistered)?;
    }
}
