//! What a buyer says in a review.

use serde_json::{Value, json};

/// A review with so many stars for everything.
#[must_use]
pub fn opinion(stars: u8) -> Value {
    json!({
        "accuracy_rating": stars,
        "reliability_rating": stars,
        "value_rating": stars,
        "title": "It works",
        "comment": "Every answer was right.",
    })
}
