//! `GET /me/wallets`: the wallets of the caller's profile.

use axum::extract::State;
use crochet::app::App;
use crochet::http::caller::Agent;
use crochet::http::{Reply, Result};
use crochet::wire::profile::{Wallet, wallets};
use crochet_domain::api_key::Scope;
use serde::Serialize;
use utoipa::ToSchema;

use super::own_profile;

/// The wallets of a profile.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Wallets {
    /// Oldest first, disabled ones included; at most 20.
    wallets: Vec<Wallet>,
}

crochet::error_list!(ListWalletsErrors: Agent; InsufficientScope);

/// List your wallets
///
/// Oldest first, disabled ones included.
#[utoipa::path(get, path = "/api/v1/me/wallets", operation_id = "list_wallets", tag = "Identity", security(("api_key" = ["read"])),
    responses((status = 200, body = Wallets, description = "The wallets."), ListWalletsErrors))]
pub(crate) async fn list_wallets(State(app): State<App>, agent: Agent) -> Result {
    agent.may(Scope::Read)?;
    let profile = own_profile(&app, agent.profile).await?;
    Reply::ok(Wallets { wallets: wallets(&profile) })
}
