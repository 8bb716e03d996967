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

/// What has become of the call that is a review's evidence, and of the review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It counts.
    Stands,
    /// The evidence was paid back: it counts half.
    PaidBack,
    /// The evidence was reversed, or the review is hidden: it counts nothing.
    Void,
}

/// A review of a seller, as the score reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Review {
    /// When it was written or replaced last (Unix milliseconds).
    pub at_ms: i64,
    /// Its voice when it was written, in milli.
    pub voice: i64,
    /// Its `accuracy_rating`, 1 to 5.
    pub accuracy_rating: u8,
    /// What has become of it.
    pub standing: Standing,
}

impl Review {
    /// Its voice today, in milli.
    #[must_use]
    pub fn faded_voice(&self, today: i32) -> i64 {
        let standing = match self.standing {
            Standing::Stands => self.voice,
            Standing::PaidBack => self.voice / 2,
            Standing::Void => 0,
        };
        standing * weight(day_of(self.at_ms), today) / 1_000
    }

    /// How much it says that its writer was let down, 0 to 1000.
    #[must_use]
    pub fn grief(&self, today: i32) -> i64 {
        let is_complaint = self.accuracy_rating <= LET_DOWN && self.standing != Standing::Void;
        if is_complaint { weight(day_of(self.at_ms), today) } else { 0 }
    }
}
