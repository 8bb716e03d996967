//! `GET /listings/{id}/stats`: the statistics of a listing, by day.

use axum::extract::{Path, State};
use crochet::app::App;
use crochet::http::caller::Anonymous;
use crochet::http::limited::ReadLimit;
use crochet::http::{Code, Reply, Result};
use crochet::store::figures::report_of;
use crochet::store::keys::Whose;
use crochet_domain::listing::ListingStatus;
use crochet_domain::score::fade::day_of;
use crochet_domain::stats::WINDOW_DAYS;
use crochet_domain::timestamp::unix_ms;

use super::view::Stats;

crochet::error_list!(GetListingStatsErrors: Anonymous<ReadLimit>, Path<String>; ListingNotFound);

/// Get the statistics of a listing: of the last 30 days, and of each day with calls.
#[utoipa::path(get, path = "/api/v1/listings/{id}/stats", operation_id = "get_listing_stats", tag = "Reviews and statistics",
    params(("id" = String, Path, description = "Listing id (UUID) or slug.")),
    responses((status = 200, body = Stats, description = "The statistics."), GetListingStatsErrors))]
pub(crate) async fn get_listing_stats(State(app): State<App>, _: Anonymous<ReadLimit>, Path(id): Path<String>) -> Result {
    let listing = app.store.find_listing(&id).await?.filter(|listing| listing.status != ListingStatus::Draft);
    let listing = listing.ok_or(Code::ListingNotFound)?;
    let now_ms = unix_ms(app.clock.now());
    let today = day_of(now_ms);
    let books = app.store.books(Whose::Seller(listing.seller.id), today - WINDOW_DAYS + 1, today).await?;
    Reply::ok(Stats::of(&report_of(&books, listing.id, today), now_ms))
}
