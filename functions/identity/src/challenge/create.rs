//! `POST /auth/challenge`: ask for a text to sign.

use axum::extract::State;
use crochet::app::App;
use crochet::http::caller::Anonymous;
use crochet::http::limited::AuthLimit;
use crochet::http::request::Json;
use crochet::http::{Reply, Result};
use crochet::wire;
use crochet_domain::challenge::Challenge;

use super::request::NewChallenge;

crochet::error_list!(CreateChallengeErrors: Anonymous<AuthLimit>, Json<NewChallenge>; InvalidWalletAddress);

/// Ask for a message to sign and, to register, to recover or to log an operator in, a proof of work to do.
///
/// The signature will authorise exactly what the message says, once, within five minutes.
#[utoipa::path(post, path = "/api/v1/auth/challenge", operation_id = "create_challenge", tag = "Identity",
    request_body = NewChallenge,
    responses((status = 200, body = wire::profile::Challenge, description = "The challenge."), CreateChallengeErrors))]
pub(crate) async fn create(State(app): State<App>, _: Anonymous<AuthLimit>, Json(request): Json<NewChallenge>) -> Result {
    let (wallet, binding) = request.read()?;
    let challenge = Challenge::issue(wallet, binding, &app.config.public_url, app.clock.now(), app.config.pow_difficulty);
    app.store.save_challenge(&challenge).await?;
    Reply::ok(wire::profile::Challenge::from(&challenge))
}
