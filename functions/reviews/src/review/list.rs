//! `GET /reviews/{listing_id}`: the reviews of a listing.

use axum::extract::{Path, State};
use crochet::app::App;
use crochet::http::caller::Anonymous;
use crochet::http::limited::ReadLimit;
use crochet::http::request::Query;
use crochet::http::{Code, Reply, Result};
use crochet::wire::Pagination;
use crochet::wire::review::{ReviewView, Reviews};
use crochet_domain::listing::ListingStatus;

use super::page::PageQuery;

crochet::error_list!(ListReviewsErrors: Anonymous<ReadLimit>, Path<String>, Query<PageQuery>; ListingNotFound);

/// List the reviews of a listing, newest first.
///
/// Everybody who wrote one has paid for a call that was delivered. A review that the operator of the marketplace has hidden is still
/// listed, with its ratings and the reason, and without its text.
#[utoipa::path(get, path = "/api/v1/reviews/{listing_id}", operation_id = "list_reviews", tag = "Reviews and statistics",
    params(("listing_id" = String, Path, description = "Listing id (UUID) or slug."), PageQuery),
    responses((status = 200, body = Reviews, description = "A page of reviews."), ListReviewsErrors))]
pub(crate) async fn list_reviews(
    State(app): State<App>,
    _: Anonymous<ReadLimit>,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result {
    let (page, limit) = query.parse()?;
    let listing = app.store.find_listing(&id).await?.filter(|listing| listing.status != ListingStatus::Draft);
    let listing = listing.ok_or(Code::ListingNotFound)?;
    let (reviews, total) = app.store.reviews_of_listing(listing.id, page as usize, limit as usize).await?;
    Reply::ok(Reviews { reviews: reviews.iter().map(ReviewView::from).collect(), pagination: Pagination::of(page, limit, total) })
}
