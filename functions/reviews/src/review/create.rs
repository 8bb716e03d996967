//! `POST /reviews/{listing_id}`: a buyer reviews a listing.

use axum::extract::{Path, State};
use crochet::app::App;
use crochet::http::caller::Agent;
use crochet::http::limited::{Limited, ReviewWrites};
use crochet::http::request::Json;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::retry::Attempts;
use crochet::store::review_write::WriteReviewError;
use crochet::wire::review::{OneReview, ReviewView};
use crochet_domain::ids::ReviewId;
use crochet_domain::review::{NotEvidence, Review};

use super::evidence::{evidence, refused};
use super::opinion::NewOpinion;
use super::writer::Writer;
use crate::bought;

crochet::error_list!(
    CreateReviewErrors: Limited<Agent, ReviewWrites>, Path<String>, Json<NewOpinion>;
    ProfileSuspended, ListingNotFound, AlreadyReviewed, ReviewBySeller, ReviewBySameOperator, ReviewBySharedWallet, ReviewCircularPayment,
    ReviewedByOperator, ReviewWithoutPurchase, ReviewFreeCall, ReviewUndelivered, ReviewReversed, ReviewRefunded, ReviewTooLate,
    ReviewEvidenceUsed, EditConflict
);

/// Review a listing that you have bought from.
///
/// The evidence is a call of yours at this listing that was paid, delivered within the last 30 days, and neither reversed nor paid
/// back; the newest one among your last 1,000 calls counts. A call is evidence once. You review a listing once, and change that with
/// PUT. Refused are reviews by the seller, by what the same person operates, by who shares a wallet with the seller or sells to it, and
/// by another agent of an operator who has one.
#[utoipa::path(post, path = "/api/v1/reviews/{listing_id}", operation_id = "create_review", tag = "Reviews and statistics",
    security(("api_key" = ["write"])),
    params(("listing_id" = String, Path, description = "Listing id (UUID) or slug.")),
    request_body(content = NewOpinion, description = "The review."),
    responses((status = 201, body = OneReview, description = "The review."), CreateReviewErrors))]
pub(crate) async fn create_review(
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
        if app.store.review(id, author.id).await?.is_some() {
            return Err(Code::AlreadyReviewed.into());
        }
        let evidence = evidence(&app, author.id, id, None, writer.now_ms).await?;
        let voice = bought::voice(&app, author, &evidence, writer.now_ms).await?;
        let review = Review::new(
            ReviewId::generate(app.clock.now()),
            (id, writer.listing.seller.id),
            (author.id, author.display_name.clone()),
            writer.opinion(said.clone(), &evidence, voice),
        );
        match app.store.create_review(&review, &evidence, author.operator).await {
            Ok(()) => return Reply::created(OneReview { review: ReviewView::from(&review) }),
            Err(WriteReviewError::AlreadyReviewed) => return Err(Code::AlreadyReviewed.into()),
            Err(WriteReviewError::OperatorReviewed) => return Err(Code::ReviewedByOperator.into()),
            Err(WriteReviewError::EvidenceUsed) => return Err(refused(NotEvidence::Used)),
            Err(WriteReviewError::Changed) => attempts.next_or(ApiError::from(Code::EditConflict)).await?,
            Err(WriteReviewError::Store(error)) => return Err(error.into()),
        }
    }
}
