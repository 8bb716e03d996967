//! Mounts the routers of all function groups in one process.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Redirect, Response};
use crochet::app::{App, CostLog};
use crochet::clock::Clock;
use crochet::config::Config;
use crochet::http::service::envelope;
use crochet::outbound::{Outbound, OutboundRules};
use crochet::telemetry::actions;

use crate::seller_network::SellerNetwork;

/// Builds one router with every route of the site and the API, and the log of what its requests cost.
///
/// `settings` are the environment variables of a deployed function. `clock` is shared with the sandbox and the demo seller, so
/// that moving it moves everything. `sellers` replaces the Internet for calls to sellers.
///
/// # Errors
/// One sentence that names the part that could not start.
pub async fn api_router(
    settings: &[(String, String)],
    clock: Clock,
    sellers: Option<&SellerNetwork>,
) -> Result<(Router, CostLog), String> {
    let lookup = |name: &str| settings.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let config = Config::from_lookup(lookup).map_err(|error| error.to_string())?;
    let costs = CostLog::remembering();
    let app = App::connect(config).await.with_clock(clock).with_costs(costs.clone()).with_error_page(crochet_site::page_of_error);
    for function in ["Identity", "Catalog", "Listings", "Gateway", "Reviews", "Site"] {
        actions::of(function, app.store.warm()).await;
    }
    let mut listings = actions::of("Listings", crochet_listings::State::connect(app.clone())).await;
    let gateway = actions::of("Gateway", crochet_gateway::State::connect(app.clone())).await;
    let mut gateway = gateway.map_err(|error| error.to_string())?;
    let reviews = crochet_reviews::State::new(app.clone());
    if let Some(SellerNetwork { network, authorities }) = sellers {
        let outbound = Outbound::over(OutboundRules::of(&app.config), network.clone(), authorities);
        listings.outbound = outbound.clone();
        gateway = gateway.with_outbound(outbound);
    }
    // Each with the logical id of its function in `template.yaml`, to which its actions are attributed.
    let routers = [
        ("Identity", crochet_identity::router(crochet_identity::State::new(app.clone()))),
        ("Catalog", crochet_catalog::router(crochet_catalog::State::new(app.clone()))),
        ("Listings", crochet_listings::router(listings)),
        ("Gateway", crochet_gateway::router(gateway)),
        ("Reviews", crochet_reviews::router(reviews)),
        ("Site", crochet_site::router(crochet_site::State::new(app.clone()))),
    ];
    let mut router = Router::new();
    for (function, group) in routers {
        let attributed = from_fn(move |request: Request, next: Next| actions::of(function, next.run(request)));
        router = router.merge(group.split_for_parts().0.layer(attributed));
    }
    let host = app.config.domain();
    let router = envelope(router, app.clone()).layer(from_fn(move |request, next| to_localhost(host.clone(), request, next)));
    Ok((router, costs))
}

/// Redirects pages at 127.0.0.1 to the public URL's host, because a passkey's relying party cannot be an IP address.
async fn to_localhost(host: String, request: Request, next: Next) -> Response {
    let asked = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_page = request.headers().get("accept").and_then(|a| a.to_str().ok()).is_some_and(|accept| accept.contains("text/html"));
    if is_page && asked.starts_with("127.0.0.1") && !request.uri().path().starts_with("/api/") {
        return Redirect::temporary(&format!("http://{host}{}", request.uri())).into_response();
    }
    next.run(request).await
}
