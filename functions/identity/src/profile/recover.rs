//! `POST /auth/recover`: get a fresh key for a profile that a wallet can recover.

use axum::extract::State;
use crochet::app::App;
use crochet::http::caller::Anonymous;
use crochet::http::limited::AuthLimit;
use crochet::http::request::Json;
use crochet::http::{Code, Reply, Result};
use crochet::store::StoreError;
use crochet::store::api_key::ApiKeyRecord;
use crochet::wire::profile::Issued;
use crochet_domain::api_key::ApiKey;
use crochet_domain::challenge::Binding;
use crochet_domain::profile::Profile;
use crochet_domain::wallet::WalletAddress;
use serde::Deserialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::api_key::fresh::fresh;
use crate::challenge::answer::{Answer, Proof, after_use};

/// The answer to a challenge for `recover`.
#[derive(Deserialize, ToSchema)]
pub(crate) struct RecoverKey {
    /// The wallet that signed.
    wallet_address: String,
    /// Its signature over the challenge's message: at most 200 characters, unless the deployment asks contracts' wallets.
    #[schema(min_length = 1, max_length = 16_384)]
    signature: String,
    /// The challenge's nonce.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    nonce: String,
    /// The answer to the proof of work.
    #[schema(min_length = 1, max_length = 64)]
    pow_nonce: String,
    /// Ends every other key of the profile (default `false`).
    revoke_existing_keys: Option<bool>,
}

impl RecoverKey {
    /// The answer to the challenge.
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
    RecoverErrors: Anonymous<AuthLimit>, Json<RecoverKey>, Answer;
    PowInvalid, WalletNotRegistered, WalletCannotRecover
);

/// Get a fresh API key for the profile of a wallet.
///
/// The challenge is used up by the first well-formed attempt, good or bad. With `revoke_existing_keys` every other key ends;
/// without it a profile that has 45 keys loses its oldest one.
#[utoipa::path(post, path = "/api/v1/auth/recover", operation_id = "recover", tag = "Identity", request_body = RecoverKey,
    responses((status = 200, body = Issued, description = "The key, shown once."), RecoverErrors))]
pub(crate) async fn recover(State(state): State<crate::State>, _: Anonymous<AuthLimit>, Json(request): Json<RecoverKey>) -> Result {
    let crate::State { app, proofs, .. } = &state;
    let answer = Answer::read(request.proof(), proofs.max_signature_chars())?;
    let now = app.clock.now();
    let challenge = app.store.take_challenge(&answer.nonce).await.map_err(after_use)?;
    answer.judge(proofs, challenge.as_ref(), &Binding::Recover, now).await?;
    // Looked for only now: nothing tells whether a wallet is registered but its own signature, not even the time of the answer.
    let profile = app.store.profile_of_wallet(&answer.wallet).await.map_err(after_use)?.ok_or(Code::WalletNotRegistered)?;
    let revoke_others = request.revoke_existing_keys.unwrap_or(false);
    let (profile, key, stored) = issue(app, profile, &answer.wallet, revoke_others, now).await?;
    let operator = app.store.operator_of(&profile).await.map_err(after_use)?;
    Reply::ok(Issued::new(&profile, operator.as_ref(), &key, &stored))
}

/// Another writer of the profile is given way to this often: the challenge is used up already.
const TRIES: usize = 8;

/// Writes a key over the profile as it is now, where the wallet may recover it still.
async fn issue(
    app: &App,
    mut profile: Profile,
    wallet: &WalletAddress,
    revoke_others: bool,
    now: OffsetDateTime,
) -> Result<(Profile, ApiKey, ApiKeyRecord)> {
    for _ in 0..TRIES {
        if !profile.recovers_with(wallet) {
            return Err(Code::WalletCannotRecover.into());
        }
        let (key, stored) = fresh(&profile, "recovery", now);
        match app.store.issue_key(&stored, profile.version, revoke_others).await {
            Ok(()) => return Ok((profile, key, stored)),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(after_use(error)),
        }
        let read = app.store.profile(profile.id).await.map_err(after_use)?;
        profile = read.ok_or(Code::WalletNotRegistered)?;
    }
    Err(after_use(StoreError::Conflict))
}
