//! Reviews in replies.

use serde::Serialize;
use utoipa::ToSchema;

use super::Pagination;
use super::listing::moment;
use crochet_domain::review::Review;

/// A review.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReviewView {
    /// Review id (UUIDv7).
    pub id: String,
    /// The listing.
    pub listing_id: String,
    /// The buyer who wrote it.
    pub author: Author,
    /// Whether the responses were right, 1 to 5.
    pub accuracy_rating: u8,
    /// Whether calls succeeded, 1 to 5.
    pub reliability_rating: u8,
    /// Whether it was worth its price, 1 to 5.
    pub value_rating: u8,
    /// Title; null while hidden.
    #[schema(required)]
    pub title: Option<String>,
    /// Text; null while hidden.
    #[schema(required)]
    pub comment: Option<String>,
    /// What it weighs, in thousandths of a call: what its author had bought from the seller when it was written, at most 5,000. It
    /// is half if the call behind it was paid back, and 0 if that was reversed or the review is hidden.
    pub voice: i64,
    /// `shown`, or `hidden` by the operator of the marketplace. A hidden review counts nothing.
    #[schema(example = "shown")]
    pub state: &'static str,
    /// Why it is hidden; null if it is shown.
    #[schema(required)]
    pub hidden_reason: Option<String>,
    /// The seller's answer; null if there is none.
    #[schema(required)]
    pub answer: Option<AnswerView>,
    /// When it was first written.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When author, seller or operator last changed it.
    #[schema(format = DateTime)]
    pub updated_at: String,
}

/// The author of a review.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Author {
    /// Profile id.
    pub id: String,
    /// Display name when the review was written.
    pub display_name: String,
}

/// A seller's answer to a review.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AnswerView {
    /// The text.
    pub comment: String,
    /// When it was written.
    #[schema(format = DateTime)]
    pub created_at: String,
}

impl From<&Review> for ReviewView {
    fn from(review: &Review) -> Self {
        let opinion = &review.opinion;
        let is_shown = review.hidden_reason.is_none();
        Self {
            id: review.id.to_string(),
            listing_id: review.listing.to_string(),
            author: Author { id: review.author.to_string(), display_name: review.author_name.clone() },
            accuracy_rating: opinion.ratings.accuracy,
            reliability_rating: opinion.ratings.reliability,
            value_rating: opinion.ratings.value,
            title: is_shown.then(|| opinion.title.clone()),
            comment: is_shown.then(|| opinion.comment.clone()),
            voice: review.voice(),
            state: if is_shown { "shown" } else { "hidden" },
            hidden_reason: review.hidden_reason.clone(),
            // It may quote what is hidden.
            answer: review
                .answer
                .as_ref()
                .filter(|_| is_shown)
                .map(|answer| AnswerView { comment: answer.comment.clone(), created_at: moment(answer.created_ms) }),
            created_at: moment(review.created_ms),
            updated_at: moment(review.updated_ms),
        }
    }
}

/// One review.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneReview {
    /// The review.
    pub review: ReviewView,
}

/// A page of reviews, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reviews {
    /// The reviews of this page.
    pub reviews: Vec<ReviewView>,
    /// Pagination of the result.
    pub pagination: Pagination,
}
