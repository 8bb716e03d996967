//! Reviews: who may write one, what it says, and what it counts.

mod eligibility;
mod rating;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use eligibility::{EVIDENCE_MS, NotEligible, NotEvidence, between, evidence, judge};
pub use rating::{Rating, Tally};

use crate::call::CallKey;
use crate::ids::{CallId, ListingId, ProfileId, ReviewId};
use crate::profile::ERASED;
use crate::unknown::Unknown;
use crate::wire_enum::wire_enum;

wire_enum! {
    /// What has become of the call that is a review's evidence.
    pub enum EvidenceState {
        /// It stands.
        Stands = "stands",
        /// The seller has paid it back: the review has half its voice.
        PaidBack = "paid_back",
        /// The payment was reversed: the review has no voice.
        Reversed = "reversed",
    }
}

/// The three ratings, each 1 to 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ratings {
    /// Whether the responses were right.
    pub accuracy: u8,
    /// Whether calls succeeded.
    pub reliability: u8,
    /// Whether it was worth its price.
    pub value: u8,
}

impl Ratings {
    /// The sum, 3 to 15.
    #[must_use]
    pub fn sum(self) -> i64 {
        i64::from(self.accuracy) + i64::from(self.reliability) + i64::from(self.value)
    }
}

/// What the author says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    /// The ratings.
    pub ratings: Ratings,
    /// The title.
    pub title: String,
    /// The text.
    pub comment: String,
    /// What the author's purchases give it as weight, in thousandths of a call. It is fixed when the opinion is written.
    pub voice: i64,
    /// The call that is the evidence.
    pub evidence: CallId,
    /// Where that call is stored.
    pub evidence_key: CallKey,
    /// What has become of the call.
    pub evidence_state: EvidenceState,
    /// When it was written (Unix milliseconds).
    pub written_ms: i64,
    /// What the next version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The seller's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The text.
    pub comment: String,
    /// When it was written (Unix milliseconds).
    pub created_ms: i64,
    /// What the next version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A review of a listing: one for each author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Its id.
    pub id: ReviewId,
    /// The listing.
    pub listing: ListingId,
    /// The seller.
    pub seller: ProfileId,
    /// The buyer who wrote it.
    pub author: ProfileId,
    /// The author's name when it was written.
    pub author_name: String,
    /// What it says now.
    pub opinion: Opinion,
    /// The seller's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// Why the operator of the marketplace has hidden it, in public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_reason: Option<String>,
    /// When it was first written (Unix milliseconds).
    pub created_ms: i64,
    /// When author, seller or operator last changed it (Unix milliseconds).
    pub updated_ms: i64,
    /// The version, incremented by every change.
    pub version: u64,
    /// What the next version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Review {
    /// A new review.
    #[must_use]
    pub fn new(id: ReviewId, of: (ListingId, ProfileId), author: (ProfileId, String), opinion: Opinion) -> Self {
        let written_ms = opinion.written_ms;
        Self {
            id,
            listing: of.0,
            seller: of.1,
            author: author.0,
            author_name: author.1,
            opinion,
            answer: None,
            hidden_reason: None,
            created_ms: written_ms,
            updated_ms: written_ms,
            version: 1,
            unknown: Unknown::default(),
        }
    }

    /// The next version, with another opinion of the same author. The seller's answer stays.
    #[must_use]
    pub fn replaced(mut self, author_name: String, opinion: Opinion) -> Self {
        self.author_name = author_name;
        let now_ms = opinion.written_ms;
        self.opinion = opinion;
        self.changed(now_ms)
    }

    /// The next version, with the seller's answer; `None` if there is one already.
    #[must_use]
    pub fn answered(mut self, comment: String, now_ms: i64) -> Option<Self> {
        if self.answer.is_some() {
            return None;
        }
        self.answer = Some(Answer { comment, created_ms: now_ms, unknown: Unknown::default() });
        Some(self.changed(now_ms))
    }

    /// The next version, hidden and without what its author has written, or was answered: the author was erased. The ratings count
    /// nothing.
    #[must_use]
    pub fn erased(self, now_ms: i64) -> Self {
        let mut erased = self.hidden(Some("Its author was erased.".to_owned()), now_ms);
        erased.answer = None;
        ERASED.clone_into(&mut erased.author_name);
        (erased.unknown, erased.opinion.unknown) = (Unknown::default(), Unknown::default());
        erased.opinion.title.clear();
        erased.opinion.comment.clear();
        erased
    }

    /// The next version, without its answer: the seller was erased. `None` if there is no answer.
    #[must_use]
    pub fn without_answer(mut self, now_ms: i64) -> Option<Self> {
        self.answer.take()?;
        Some(self.changed(now_ms))
    }

    /// The next version, hidden for this reason, or shown again.
    #[must_use]
    pub fn hidden(mut self, reason: Option<String>, now_ms: i64) -> Self {
        self.hidden_reason = reason;
        self.changed(now_ms)
    }

    /// The next version, after this has become of its evidence; `None` if that is known.
    #[must_use]
    pub fn with_evidence_state(mut self, state: EvidenceState) -> Option<Self> {
        if self.opinion.evidence_state == state {
            return None;
        }
        self.opinion.evidence_state = state;
        self.version += 1;
        Some(self)
    }

    /// What it weighs, in thousandths of a call.
    #[must_use]
    pub fn voice(&self) -> i64 {
        match self.opinion.evidence_state {
            _ if self.hidden_reason.is_some() => 0,
            EvidenceState::Stands => self.opinion.voice,
            EvidenceState::PaidBack => self.opinion.voice / 2,
            EvidenceState::Reversed => 0,
        }
    }

    fn changed(mut self, now_ms: i64) -> Self {
        self.updated_ms = now_ms.max(self.updated_ms);
        self.version += 1;
        self
    }
}
