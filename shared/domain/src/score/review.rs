//! What a review weighs.

use super::fade::{day_of, weight};

/// The most that a review weighs, in milli: 5 calls.
pub const WHOLE_VOICE: i64 = 5_000;
/// Highest `accuracy_rating` of a payer that was let down.
const LET_DOWN: u8 = 2;

/// The voice of a review, in milli, fixed when it is written: what its writer's cluster bought from this seller in the 91 days
/// before. `bought` is the sum of [`Facts::bought`](super::Facts::bought).
#[must_use]
pub fn voice(bought: i64) -> i64 {
    bought.clamp(0, WHOLE_VOICE)
}

/// A review of a seller, as the score reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Review {
    /// When it was written or replaced last (Unix milliseconds).
    pub at_ms: i64,
    /// Its voice, in milli, before it fades: half once its evidence was paid back, 0 if that was reversed or the review is hidden.
    pub voice: i64,
    /// Its `accuracy_rating`, 1 to 5.
    pub accuracy_rating: u8,
}

impl Review {
    /// Its voice today, in milli.
    #[must_use]
    pub fn faded_voice(&self, today: i32) -> i64 {
        self.voice * weight(day_of(self.at_ms), today) / 1_000
    }

    /// How much it says that its writer was let down, 0 to 1000. A review without a voice says nothing.
    #[must_use]
    pub fn grief(&self, today: i32) -> i64 {
        let is_complaint = self.accuracy_rating <= LET_DOWN && self.voice > 0;
        if is_complaint { weight(day_of(self.at_ms), today) } else { 0 }
    }
}

impl From<&crate::review::Review> for Review {
    fn from(review: &crate::review::Review) -> Self {
        Self { at_ms: review.opinion.written_ms, voice: review.voice(), accuracy_rating: review.opinion.ratings.accuracy }
    }
}
