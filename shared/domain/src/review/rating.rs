//! What the reviews of a listing come to.

use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

use super::Review;

/// Voice of the imaginary reviews that a listing is ranked with, in thousandths of a call: 50 calls.
const IMAGINARY_VOICE: i64 = 50_000;
/// Their rating, in thirds of a star: three stars.
const IMAGINARY_THIRDS: i64 = 9;

/// Sums over the reviews of a listing, so that a review changes them by a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Number of reviews.
    #[serde(rename = "n")]
    pub count: i64,
    /// Their ratings, three of each review.
    #[serde(rename = "r")]
    pub ratings: i64,
    /// Their voices, in thousandths of a call.
    #[serde(rename = "v")]
    pub voice: i64,
    /// Voice times ratings.
    #[serde(rename = "w")]
    pub weighted: i64,
}

impl Tally {
    /// What one review adds. A hidden one counts nothing.
    #[must_use]
    pub fn of(review: &Review) -> Self {
        if review.hidden_reason.is_some() {
            return Self::default();
        }
        let (ratings, voice) = (review.opinion.ratings.sum(), review.voice());
        Self { count: 1, ratings, voice, weighted: voice * ratings }
    }

    /// The rating that listings show and are sorted by.
    #[must_use]
    pub fn rating(self) -> Rating {
        let shown = |total: i64, of: i64| (of > 0).then(|| u32::try_from((total * 100 + of / 2) / of).unwrap_or(0));
        let rank = (self.weighted + IMAGINARY_VOICE * IMAGINARY_THIRDS) * 1_000 / (3 * (self.voice + IMAGINARY_VOICE));
        Rating {
            count: u32::try_from(self.count).unwrap_or(0),
            average_hundredths: shown(self.ratings, 3 * self.count),
            rank: u32::try_from(rank).unwrap_or(0),
        }
    }
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            ratings: self.ratings + other.ratings,
            voice: self.voice + other.voice,
            weighted: self.weighted + other.weighted,
        }
    }
}

impl Sub for Tally {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            count: self.count - other.count,
            ratings: self.ratings - other.ratings,
            voice: self.voice - other.voice,
            weighted: self.weighted - other.weighted,
        }
    }
}

/// The rating of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// Number of reviews.
    #[serde(rename = "n", default)]
    pub count: u32,
    /// The plain mean of all ratings, in hundredths of a star; `None` without reviews.
    #[serde(rename = "a", default)]
    pub average_hundredths: Option<u32>,
    /// What listings are sorted by: the mean weighted by voice, together with 50 imaginary calls that gave three stars, in
    /// thousandths of a star.
    #[serde(rename = "k", default)]
    pub rank: u32,
}

impl Default for Rating {
    fn default() -> Self {
        Tally::default().rating()
    }
}
