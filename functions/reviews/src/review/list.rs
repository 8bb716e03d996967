//! `GET /reviews/{listing_id}`: the reviews of a listing.

use axum::extract::{Path, State};
use crochet::app::App;
use crochet::http::caller::Anonymous;
use crochet::http::limited::ReadLimit;
use crochet::http::request::{Query, int_param};
use crochet::http::{Code, Reply, Result};
use crochet::wire::Pagination;
use crochet_domain::listing::ListingStatus;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which page of the reviews to return.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// Page number, starting at 1 (the default).
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1_000)]
    page: Option<String>,
    /// Reviews per page, 1 to 100 (default 20).
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
}

/// A page of reviews.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reviews {
    pagination: Pagination,
}

crochet::error_list!(ListReviewsErrors: Anonymous<ReadLimit>, Path<String>, Query<Page>; ListingNotFound);

/// List the reviews of a listing.
#[utoipa::path(get, path = "/api/v1/reviews/{listing_id}", operation_id = "list_reviews", tag = "Reviews and statistics",
    params(("listing_id" = String, Path, description = "Listing id (UUID) or slug."), Page),
    responses((status = 200, body = Reviews, description = "A page of reviews."), ListReviewsErrors))]
pub(crate) async fn list_reviews(
    State(app): State<App>,
    _: Anonymous<ReadLimit>,
    Path(id): Path<String>,
    Query(page): Query<Page>,
) -> Result {
    let listing = app.store.find_listing(&id).await?.filter(|listing| listing.status != ListingStatus::Draft);
    listing.ok_or(Code::ListingNotFound)?;
    let number = int_param("page", page.page.as_deref(), 1, 1_000, 1)?;
    let limit = int_param("limit", page.limit.as_deref(), 1, 100, 20)?;
    Reply::ok(Reviews { pagination: Pagination::of(number, limit, 0) })
}
