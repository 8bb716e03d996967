//! `GET /listings`: active listings or, with `seller=me` and a key, the caller's own.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use crochet::app::App;
use crochet::http::etag::conditional;
use crochet::http::request::Query;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::wire::Pagination;
use crochet::wire::listing::{ListingView, Listings};
use crochet_domain::api_key::Scope;
use crochet_domain::listing::ListingStatus;

use super::filters::{Filters, ListingScope};
use crate::catalogue::Catalogue;
use crate::optional_agent::OptionalAgent;
use crate::search::{Page, Search, search_owned};

crochet::error_list!(BrowseListingsErrors: OptionalAgent, Query<Filters>; InsufficientScope);

/// Browse active listings or, with `seller=me` and an API key, your own, including drafts and suspended ones.
///
/// Lists omit schemas and examples; `GET /listings/{id}` returns them.
#[utoipa::path(get, path = "/api/v1/listings", operation_id = "browse_listings", tag = "Catalog", security((), ("api_key" = ["read"])),
    params(Filters),
    responses((status = 200, body = Listings, description = "A page of listings.", headers(("ETag" = String, description = "The version of the reply. Send it in If-None-Match."))), (status = 304, description = "Not modified: If-None-Match names the current version.", headers(("ETag" = String, description = "The version of the reply."))), BrowseListingsErrors))]
pub(crate) async fn browse_listings(
    State(app): State<App>,
    State(catalogue): State<Catalogue>,
    caller: OptionalAgent,
    headers: HeaderMap,
    Query(filters): Query<Filters>,
) -> Result<Response> {
    let (scope, search) = filters.parse()?;
    let is_own = matches!(scope, ListingScope::Owned(_));
    let view = if is_own { ListingView::in_own_list } else { ListingView::in_list };
    let found = match scope {
        ListingScope::Public => {
            caller.identify_while(async { Ok(catalogue.refresh().await?) }).await?;
            catalogue.search(&search)?
        }
        ListingScope::Owned(status) => browse_owned(&app, caller, status, &search).await?,
    };
    let listings = found.listings.iter().map(|listing| view(listing, &app.config)).collect();
    let reply = Reply::ok(Listings { listings, pagination: Pagination::of(search.page, search.limit, found.total) })?;
    Ok(conditional(&headers, reply))
}

async fn browse_owned(app: &App, caller: OptionalAgent, status: Option<ListingStatus>, search: &Search) -> Result<Page> {
    let agent = caller.identify().await?;
    let agent = agent.ok_or_else(|| ApiError::new(Code::Unauthorized).message("Send your API key to see your own listings."))?;
    agent.may(Scope::Read)?;
    let mut listings = app.store.listings_of(agent.profile).await?;
    listings.retain(|listing| status.is_none_or(|status| listing.status == status));
    Ok(search_owned(listings, search)?)
}
