//! `GET /me/wallets/{id}`: read one of the caller's wallets.

use axum::extract::{Path, State};
use crochet::app::App;
use crochet::http::caller::Agent;
use crochet::http::{Reply, Result};
use crochet_domain::api_key::Scope;

use super::{OneWallet, one_wallet, wallet_id};
use crate::caller::own_profile;

crochet::error_list!(GetWalletErrors: Agent, Path<String>; InsufficientScope, WalletNotFound);

/// Read one of your wallets
#[utoipa::path(get, path = "/api/v1/me/wallets/{id}", operation_id = "get_wallet", tag = "Identity",
    security(("api_key" = ["read"])), params(("id" = String, Path, description = "The wallet's id.", format = "uuid")),
    responses((status = 200, body = OneWallet, description = "The wallet."), GetWalletErrors))]
pub(crate) async fn get_wallet(State(app): State<App>, agent: Agent, Path(id): Path<String>) -> Result {
    agent.may(Scope::Read)?;
    let id = wallet_id(&id)?;
    Reply::ok(one_wallet(&own_profile(&app, agent.profile).await?, id)?)
}
