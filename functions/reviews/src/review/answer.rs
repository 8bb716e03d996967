//! `POST /reviews/{listing_id}/{review_id}/answer`: the seller answers, once.

use axum::extract::{Path, State};
use crochet::app::App;
use crochet::http::caller::Agent;
use crochet::http::limited::{Limited, ReviewWrites};
use crochet::http::request::{Json, Text};
use crochet::http::suspension::refuse_suspended;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::retry::Attempts;
use crochet::wire::review::{OneReview, ReviewView};
use crochet_domain::listing::ListingStatus;
use crochet_domain::timestamp::unix_ms;
use serde::Deserialize;
use utoipa::ToSchema;

/// A seller's answer.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewAnswer {
    /// The text.
    #[schema(value_type = String, min_length = 1, max_length = 4_000)]
    comment: Text<1, 4_000>,
}

crochet::error_list!(
    AnswerReviewErrors: Limited<Agent, ReviewWrites>, Path<String>, Json<NewAnswer>;
    ListingNotFound, NotListingOwner, ProfileSuspended, ReviewNotFound, AlreadyAnswered, EditConflict
);

/// Answer a review of your listing. A review has one answer, which nobody can change.
#[utoipa::path(post, path = "/api/v1/reviews/{listing_id}/{review_id}/answer", operation_id = "answer_review",
    tag = "Reviews and statistics", security(("api_key" = ["write"])),
    params(
        ("listing_id" = String, Path, description = "Listing id (UUID) or slug."),
        ("review_id" = String, Path, description = "The review's id (UUID)."),
    ),
    request_body(content = NewAnswer, description = "The answer."),
    responses((status = 201, body = OneReview, description = "The review with the answer."), AnswerReviewErrors))]
pub(crate) async fn answer_review(
    State(app): State<App>,
    limited: Limited<Agent, ReviewWrites>,
    Path((listing, review)): Path<(String, String)>,
    Json(body): Json<NewAnswer>,
) -> Result {
    let seller = limited.caller.profile;
    let is_visible = |status: ListingStatus, owner| status != ListingStatus::Draft || owner == seller;
    let listing = app.store.find_listing(&listing).await?;
    let listing = listing.filter(|listing| is_visible(listing.status, listing.seller.id)).ok_or(Code::ListingNotFound)?;
    if listing.seller.id != seller {
        return Err(Code::NotListingOwner.into());
    }
    refuse_suspended(listing.seller.suspended)?;
    let id = review.parse().map_err(|_| Code::ReviewNotFound)?;
    let mut attempts = Attempts::default();
    loop {
        let before = app.store.review_by_id(listing.id, id).await?.ok_or(Code::ReviewNotFound)?;
        let now_ms = unix_ms(app.clock.now());
        let answered = before.clone().answered(body.comment.0.clone(), now_ms).ok_or(Code::AlreadyAnswered)?;
        if app.store.update_review(&before, &answered, now_ms).await? {
            return Reply::created(OneReview { review: ReviewView::from(&answered) });
        }
        attempts.next_or(ApiError::from(Code::EditConflict)).await?;
    }
}
