//! `GET /listings`: what is on offer; or, with a key, one's own listings.

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

use super::filters::{Filters, Whose};
use crate::model::{Catalogue, search};
use crate::viewer::Viewer;

crochet::error_list!(BrowseListingsErrors: Viewer, Query<Filters>; InsufficientScope);

/// Browse active listings; or, with `seller=me` and a key, your own, drafts and suspended ones included.
///
/// Pages leave out schemas and examples: `GET /listings/{id}` has them.
#[utoipa::path(get, path = "/api/v1/listings", operation_id = "browse_listings", tag = "Catalog", security((), ("api_key" = [])),
    params(Filters),
    responses((status = 200, body = Listings, description = "A page of listings."), BrowseListingsErrors))]
pub(crate) async fn browse_listings(
    State(app): State<App>,
    State(catalogue): State<Catalogue>,
    viewer: Viewer,
    headers: HeaderMap,
    Query(filters): Query<Filters>,
) -> Result<Response> {
    let (whose, wanted) = filters.read()?;
    let found = match whose {
        Whose::Anyones => {
            viewer.while_loading(async { Ok(catalogue.refresh().await?) }).await?;
            catalogue.search(&wanted)?
        }
        Whose::Own(status) => {
            let agent = viewer.identify().await?;
            let agent =
                agent.ok_or_else(|| ApiError::new(Code::Unauthorized).message("Send your API key to see your own listings."))?;
            agent.may(Scope::Read)?;
            let mut own = app.store.listings_of(agent.profile).await?;
            own.retain(|listing| status.is_none_or(|status| listing.status == status));
            search::own(own, &wanted)?
        }
    };
    let listings = found.listings.iter().map(|listing| ListingView::in_list(listing, &app.config)).collect();
    let reply = Reply::ok(Listings { listings, pagination: Pagination::of(wanted.page, wanted.limit, found.total) })?;
    Ok(conditional(&headers, reply))
}
