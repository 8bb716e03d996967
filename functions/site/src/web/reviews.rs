//! Reviews, with the sellers' answers.

use crochet_domain::review::Review;
use maud::{Markup, html};
use url::form_urlencoded::parse;

use crate::{foreign, format};

/// Last page of reviews that is shown.
const MAX_PAGE: usize = 1_000;

/// The number in `reviews=`, from 1.
pub(crate) fn page_number(query: Option<&str>) -> usize {
    let pairs = parse(query.unwrap_or_default().as_bytes());
    let number = pairs.filter(|(name, _)| name == "reviews").last().and_then(|(_, value)| value.parse().ok());
    number.unwrap_or(1).clamp(1, MAX_PAGE)
}

/// The reviews. `by` says whose words they are, and when they were written.
pub(crate) fn list(reviews: &[Review], by: &dyn Fn(&Review) -> Markup) -> Markup {
    html! { @if reviews.is_empty() {
        p.soft { "No reviews." }
    } @else {
        ol.reviews { @for review in reviews { li { (one(review, by)) } } }
    } }
}

fn one(review: &Review, by: &dyn Fn(&Review) -> Markup) -> Markup {
    let ratings = review.opinion.ratings;
    html! {
        @if let Some(reason) = &review.hidden_reason {
            div.bar { h3 { "Hidden by the operator of this deployment" } }
            p.soft.small { "Reason: " (foreign::line(reason)) ". It counts nothing." }
        } @else {
            div.bar {
                h3 { (foreign::name(&review.opinion.title)) }
                p.rates { span { "Accuracy " b { (ratings.accuracy) } } span { "Reliability " b { (ratings.reliability) } } span { "Value " b { (ratings.value) } } }
            }
            div.said { p.who { (by(review)) } (foreign::words(&review.opinion.comment)) }
            @if let Some(answer) = &review.answer {
                div.said.answer { p.who { "The seller answered on " (format::date(answer.created_ms)) } (foreign::words(&answer.comment)) }
            }
        }
    }
}

/// Links to the other pages of reviews.
pub(crate) fn pager(path: &str, number: usize, pages: usize) -> Markup {
    let to = |number: usize| format!("{path}?reviews={number}#reviews");
    html! { @if pages > 1 {
        nav.pager.gap aria-label="Pages of reviews" {
            @if number > 1 { a href=(to(number - 1)) rel="prev" { "Newer" } }
            span { "Page " (number) " of " (pages) }
            @if number < pages { a href=(to(number + 1)) rel="next" { "Older" } }
        }
    } }
}
