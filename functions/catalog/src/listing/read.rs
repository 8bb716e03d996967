//! `GET /listings/{id}`: one listing, by id or slug.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use crochet::app::App;
use crochet::http::etag::conditional;
use crochet::http::{Code, Reply, Result};
use crochet::wire::listing::{ListingView, OneListing};
use crochet_domain::api_key::Scope;
use crochet_domain::listing::{Listing, ListingStatus};

use crate::optional_agent::OptionalAgent;

crochet::error_list!(GetListingErrors: OptionalAgent, Path<String>; ListingNotFound);

/// Get one listing by id or slug, with its schemas and examples.
///
/// A suspended listing is still returned, with `status` `suspended`. A draft is returned to its owner only.
#[utoipa::path(get, path = "/api/v1/listings/{id}", operation_id = "get_listing", tag = "Catalog", security((), ("api_key" = ["read"])),
    params(("id" = String, Path, description = "Listing id (UUID) or slug.")),
    responses((status = 200, body = OneListing, description = "The listing.", headers(("ETag" = String, description = "The version of the reply. Send it in If-None-Match."))), (status = 304, description = "Not modified: If-None-Match names the current version.", headers(("ETag" = String, description = "The version of the reply."))), GetListingErrors))]
pub(crate) async fn get_listing(
    State(app): State<App>,
    caller: OptionalAgent,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let listing = visible(&app, caller, &id).await?;
    let reply = Reply::ok(OneListing { listing: ListingView::whole(&listing, &app.config) })?;
    Ok(conditional(&headers, reply))
}

/// The listing with this id or slug, if the caller may see it.
///
/// # Errors
/// `LISTING_NOT_FOUND`, also for another's draft; those of [`OptionalAgent::identify`].
pub(super) async fn visible(app: &App, caller: OptionalAgent, id: &str) -> Result<Listing> {
    let (agent, listing) = caller.identify_while(async { Ok(app.store.find_listing(id).await?) }).await?;
    let listing = listing.ok_or(Code::ListingNotFound)?;
    let owner = agent.filter(|agent| agent.profile == listing.seller.id && agent.may(Scope::Read).is_ok());
    if listing.status == ListingStatus::Draft && owner.is_none() {
        return Err(Code::ListingNotFound.into());
    }
    Ok(listing)
}
