//! What an agent is and how it has served, in the file formats of ERC-8004 (a draft): for registries that read them.

use axum::Json;
use axum::extract::{Path, State};
use crochet::app::App;
use crochet::http::Result;
use crochet::http::caller::Anonymous;
use crochet::http::limited::ReadLimit;
use crochet_domain::ids::ProfileId;
use crochet_domain::listing::{Listing, ListingStatus};
use crochet_domain::profile::Profile;
use crochet_domain::timestamp::rfc3339;
use serde_json::{Value, json};

use crate::agent::agent;

/// What a registration file says it is.
const REGISTRATION: &str = "https://eips.ethereum.org/EIPS/eip-8004#registration-v1";
/// The chain of the operator's fee wallet, which gives the feedback.
const FEE_CHAIN: &str = "eip155:8453";

crochet::error_list!(RegistrationErrors: Anonymous<ReadLimit>, Path<String>; ProfileNotFound);
crochet::error_list!(FeedbackErrors: Anonymous<ReadLimit>, Path<String>; ProfileNotFound);

/// Get an agent's registration file in the format of ERC-8004.
///
/// Its services are the agent's listings on offer that can be called. `registrations` is empty: Crochet registers nobody on a chain.
#[utoipa::path(get, path = "/api/v1/agents/{id}/erc8004/registration.json", operation_id = "get_erc8004_registration",
    tag = "Reviews and statistics",
    params(("id" = String, Path, description = "The agent's profile id.")),
    responses((status = 200, content_type = "application/json", body = Object, description = "The file itself, without an envelope."), RegistrationErrors))]
pub(crate) async fn get_registration(
    State(app): State<App>,
    _: Anonymous<ReadLimit>,
    Path(id): Path<String>,
) -> Result<Json<Value>> {
    let agent = agent(&app, &id).await?;
    let listings = on_offer(&app, agent.id).await?;
    Ok(Json(registration(&agent, &listings, &app)))
}

/// Get what was counted of an agent's calls, as feedback files in the format of ERC-8004.
///
/// One entry for each listing and tag (`successRate` in percent, `responseTime` in milliseconds, `starred` out of 100), counted over the
/// last 30 days by this deployment, which is named as the client by its fee wallet. `agentRegistry` and `agentId` name the agent at
/// this deployment; who posts an entry on a chain replaces them by the agent's registration there.
#[utoipa::path(get, path = "/api/v1/agents/{id}/erc8004/feedback.json", operation_id = "get_erc8004_feedback",
    tag = "Reviews and statistics",
    params(("id" = String, Path, description = "The agent's profile id.")),
    responses((status = 200, content_type = "application/json", body = Object, description = "The file itself, without an envelope."), FeedbackErrors))]
pub(crate) async fn get_feedback(State(app): State<App>, _: Anonymous<ReadLimit>, Path(id): Path<String>) -> Result<Json<Value>> {
    let agent = agent(&app, &id).await?;
    let listings = on_offer(&app, agent.id).await?;
    let created_at = rfc3339(app.clock.now());
    let entries: Vec<Value> = listings.iter().flat_map(|listing| feedback(listing, &agent, &app, &created_at)).collect();
    Ok(Json(json!({ "agentId": agent.id.to_string(), "createdAt": created_at, "feedback": entries })))
}

async fn on_offer(app: &App, seller: ProfileId) -> Result<Vec<Listing>> {
    let mut listings = app.store.listings_of(seller).await?;
    listings.retain(|listing| listing.status == ListingStatus::Active);
    Ok(listings)
}

fn registration(agent: &Profile, listings: &[Listing], app: &App) -> Value {
    let config = &app.config;
    let gateway = |listing: &Listing| {
        json!({
            "name": format!("crochet:{}", listing.slug),
            "endpoint": config.absolute(&format!("/api/v1/gateway/{}", listing.id)),
            "version": "v1",
        })
    };
    let web = json!({ "name": "web", "endpoint": config.absolute(&format!("/api/v1/agents/{}", agent.id)) });
    let callable = listings.iter().filter(|listing| listing.endpoint.is_some());
    json!({
        "type": REGISTRATION,
        "name": agent.display_name,
        "description": agent.description.clone().unwrap_or_default(),
        "image": "",
        "services": std::iter::once(web).chain(callable.map(gateway)).collect::<Vec<_>>(),
        "x402Support": false,
        "active": !listings.is_empty(),
        "registrations": [],
        "supportedTrust": ["reputation"],
    })
}

fn feedback(listing: &Listing, agent: &Profile, app: &App, created_at: &str) -> Vec<Value> {
    let (config, figures) = (&app.config, &listing.figures);
    let entry = |tag: &str, value: u64, decimals: u8, sample: u64| {
        json!({
            "agentRegistry": config.absolute(""),
            "agentId": agent.id.to_string(),
            "clientAddress": format!("{FEE_CHAIN}:{}", config.fee_wallet),
            "createdAt": created_at,
            "value": value,
            "valueDecimals": decimals,
            "tag1": tag,
            "tag2": listing.slug,
            "endpoint": config.absolute(&format!("/api/v1/gateway/{}", listing.id)),
            "sampleSize": sample,
        })
    };
    let rating =
        figures.rating.average_hundredths.map(|average| entry("starred", u64::from(average) * 20, 2, figures.rating.count.into()));
    let success = figures.success().map(|share| entry("successRate", share / 10, 2, figures.calls));
    let time = figures.p50_ms.map(|ms| entry("responseTime", ms.into(), 0, figures.calls));
    [success, time, rating].into_iter().flatten().collect()
}
