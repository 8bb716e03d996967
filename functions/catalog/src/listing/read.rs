//! `GET /listings/{id}`: one listing, by id or slug.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use crochet::app::App;
use crochet::http::etag::conditional;
use crochet::http::{Code, Reply, Result};
use crochet::wire::listing::{ListingView, OneListing};
use crochet_domain::api_key::Scope;
use crochet_domain::listing::ListingStatus;

use crate::viewer::Viewer;

crochet::error_list!(GetListingErrors: Viewer, Path<String>; ListingNotFound);
/// Get one listing by id or slug, with its schemas and examples.
///
/// A suspended listing still answers, and says so in `status`. A draft answers to a key of its owner only.
#[utoipa::path(get, path = "/api/v1/listings/{id}", operation_id = "get_listing", tag = "Catalog", security((), ("api_key" = [])),
    params(("id" = String, Path, description = "UUID or slug")),
    responses((status = 200, body = OneListing, description = "The listing."), GetListingErrors))]
pub(crate) async fn get_listing(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let (agent, listing) = viewer.while_loading(async { Ok(app.store.find_listing(&id).await?) }).await?;
    let listing = listing.ok_or(Code::ListingNotFound)?;
    let owner = agent.filter(|agent| agent.profile == listing.seller.id && agent.may(Scope::Read).is_ok());
    if listing.status == ListingStatus::Draft && owner.is_none() {
        return Err(Code::ListingNotFound.into());
    }
    let reply = Reply::ok(OneListing { listing: ListingView::whole(&listing, &app.config) })?;
    Ok(conditional(&headers, reply))
}
