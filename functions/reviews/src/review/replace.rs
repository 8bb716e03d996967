//! `PUT /reviews/{listing_id}`: an author changes a review, with newer evidence.

use axum::extract::{Path, State};
use crochet::app::App;
use crochet::http::caller::Agent;
use crochet::http::limited::{Limited, ReviewWrites};
use crochet::http::request::Json;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::retry::Attempts;
use crochet::store::review_write::WriteReviewError;
use crochet::wire::review::{OneReview, ReviewView};
use crochet_domain::review::NotEvidence;

use super::evidence::{evidence, refused};
use super::opinion::NewOpinion;
use super::writer::Writer;
use crate::bought;

crochet::error_list!(
    ReplaceReviewErrors: Limited<Agent, ReviewWrites>, Path<String>, Json<NewOpinion>;
    ProfileSuspended, ListingNotFound, ReviewNotFound, ReviewBySeller, ReviewBySameOperator, ReviewBySharedWallet, ReviewCircularPayment,
    ReviewedByOperator, ReviewWithoutPurchase, ReviewFreeCall, ReviewUndelivered, ReviewReversed, ReviewRefunded, ReviewTooLate,
    ReviewEvidenceUsed, EditConflict
);

/// Change your review of a listing.
///
/// The evidence is a call as for a new review that was delivered after you wrote the present text. The whole review is replaced; its id,
/// its time of creation and the seller's answer stay, and the old text is kept in its history.
#[utoipa::path(put, path = "/api/v1/reviews/{listing_id}", operation_id = "replace_review", tag = "Reviews and statistics",
    security(("api_key" = ["write"])),
    params(("listing_id" = String, Path, description = "Listing id (UUID) or slug.")),
    request_body(content = NewOpinion, description = "The whole review."),
    responses((status = 200, body = OneReview, description = "The review."), ReplaceReviewErrors))]
pub(crate) async fn replace_review(
    State(app): State<App>,
    limited: Limited<Agent, ReviewWrites>,
    Path(listing): Path<String>,
    Json(body): Json<NewOpinion>,
) -> Result {
    let said = body.parse()?;
    let mut attempts = Attempts::default();
    loop {
        let writer = Writer::admit(&app, limited.caller.profile, &listing).await?;
        let (author, id) = (&writer.author, writer.listing_id());
        let before = app.store.review(id, author.id).await?.ok_or(Code::ReviewNotFound)?;
        let evidence = evidence(&app, author.id, id, Some(before.opinion.written_ms), writer.now_ms).await?;
        let voice = bought::voice(&app, author, &evidence, writer.now_ms).await?;
        let review = before.clone().replaced(author.display_name.clone(), writer.opinion(said.clone(), &evidence, voice));
        match app.store.replace_review(&before, &review, &evidence).await {
            Ok(()) => return Reply::ok(OneReview { review: ReviewView::from(&review) }),
            Err(WriteReviewError::EvidenceUsed) => return Err(refused(NotEvidence::Used)),
            Err(WriteReviewError::Store(error)) => return Err(error.into()),
            Err(_) => attempts.next_or(ApiError::from(Code::EditConflict)).await?,
        }
    }
}
