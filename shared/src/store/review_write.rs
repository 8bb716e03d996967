//! Writing reviews: each change together with what it adds to the rating of the listing, all or nothing.

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde_json::json;

use super::item::{n, record, s};
use super::review::{EvidenceMark, ReviewPointer};
use super::transaction::TransactError;
use super::write::{Condition, Put, Update};
use super::{Store, StoreError, keys};
use crochet_domain::call::Call;
use crochet_domain::ids::ProfileId;
use crochet_domain::review::{Review, Tally};

/// Why a review was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteReviewError {
    /// The author has a review of the listing. Nothing was written.
    #[error("the author has reviewed the listing")]
    AlreadyReviewed,
    /// Another agent of the author's operator has.
    #[error("another agent of the author's operator has reviewed the listing")]
    OperatorReviewed,
    /// The call is the evidence of another review, or of what this one said before.
    #[error("the call is evidence already")]
    EvidenceUsed,
    /// The review or the call has changed since it was read. Read again.
    #[error("the review or its evidence has changed")]
    Changed,
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn review_put(review: &Review, log_ms: i64) -> Result<Put, StoreError> {
    let put = Put::new(&keys::review(review.listing, review.author), "review", review)?
        .indexed(Some(keys::review_of_listing(review.listing, review.id)))
        .indexed(Some(keys::review_of_seller(review.seller, review.id)))
        .indexed(Some(keys::review_changed(review.id, log_ms)));
    Ok(match review.version {
        1 => put.when(Condition::absent()),
        version => put.when(Condition::equals("version", n(version - 1))),
    })
}

impl Store {
    /// Writes a new review. `evidence` is the call that was read: it must not have changed, and be the evidence of nothing else.
    /// `operator` is the person who operates the author.
    pub async fn create_review(
        &self,
        review: &Review,
        evidence: &Call,
        operator: Option<ProfileId>,
    ) -> Result<(), WriteReviewError> {
        let mut operations = self.with_evidence(review, evidence, Tally::of(review))?;
        let pointer = ReviewPointer { listing: review.listing };
        let pointer = Put::new(&keys::reviewer(review.author, review.id), "reviewer", &pointer)?;
        operations.push(pointer.into_transact_item(&self.table)?);
        if let Some(operator) = operator {
            let noted = json!({ "author": review.author });
            let once = Condition::absent_or_equals("author", s(review.author.to_string()));
            let note = Put::new(&keys::reviewing_operator(review.listing, operator), "reviewing_operator", &noted)?;
            operations.push(note.when(once).into_transact_item(&self.table)?);
        }
        match self.table.transact(operations).await {
            Err(TransactError::ConditionFailed { index: 5, .. }) => Err(WriteReviewError::OperatorReviewed),
            Err(TransactError::ConditionFailed { index: 0, found }) => {
                let found = found.map(record::<Review>).transpose()?;
                // The reply to our own write was lost.
                if found.is_some_and(|found| found.id == review.id) { Ok(()) } else { Err(WriteReviewError::AlreadyReviewed) }
            }
            written => with_evidence_written(written),
        }
    }

    /// Replaces the version of a review that was read, because its author changed it, with new evidence. What it said before is
    /// kept.
    pub async fn replace_review(&self, before: &Review, review: &Review, evidence: &Call) -> Result<(), WriteReviewError> {
        let mut operations = self.with_evidence(review, evidence, Tally::of(review) - Tally::of(before))?;
        let earlier = keys::earlier_review(review.listing, review.author, before.version);
        operations.push(Put::new(&earlier, "earlier_review", &before.opinion)?.into_transact_item(&self.table)?);
        match self.table.transact(operations).await {
            Err(TransactError::ConditionFailed { index: 0, found }) if is_same(found.clone(), review)? => Ok(()),
            written => with_evidence_written(written),
        }
    }

    /// The review, the evidence as it was read, its only use, and the rating.
    fn with_evidence(&self, review: &Review, evidence: &Call, difference: Tally) -> Result<Vec<TransactWriteItem>, StoreError> {
        let mark = EvidenceMark { author: review.author, review: review.id, version: review.version };
        let mark = Put::new(&keys::evidence(evidence.listing.id, evidence.id), "evidence", &mark)?.when(Condition::absent());
        Ok(vec![
            review_put(review, review.updated_ms)?.into_transact_item(&self.table)?,
            self.table.transact_is_version(&keys::call(&evidence.key()), evidence.version)?,
            mark.into_transact_item(&self.table)?,
            self.rating_change(review, difference)?,
        ])
    }

    /// Replaces the version of a review that was read, for a change of anybody but its author. `now_ms` is when the log of changes
    /// shows it (Unix milliseconds). `false` if it has changed since it was read.
    pub async fn update_review(&self, before: &Review, review: &Review, now_ms: i64) -> Result<bool, StoreError> {
        let operations = vec![
            review_put(review, now_ms.max(review.updated_ms))?.into_transact_item(&self.table)?,
            self.rating_change(review, Tally::of(review) - Tally::of(before))?,
        ];
        match self.table.transact(operations).await {
            Ok(()) => Ok(true),
            Err(TransactError::ConditionFailed { index: 0, found }) => is_same(found, review),
            Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => Ok(false),
            Err(TransactError::Store(error)) => Err(error),
        }
    }

    fn rating_change(&self, review: &Review, by: Tally) -> Result<TransactWriteItem, StoreError> {
        let update = Update::new("ADD #n :n, #r :r, #v :v, #w :w SET #kind = :kind")
            .name("#n", "n")
            .name("#r", "r")
            .name("#v", "v")
            .name("#w", "w")
            .name("#kind", keys::KIND)
            .value(":kind", s("rating"))
            .number(":n", by.count)
            .number(":r", by.ratings)
            .number(":v", by.voice)
            .number(":w", by.weighted);
        self.table.transact_update(&keys::rating(review.listing), update)
    }
}

fn is_same(found: Option<super::item::Item>, review: &Review) -> Result<bool, StoreError> {
    Ok(found.map(record::<Review>).transpose()?.is_some_and(|found| found == *review))
}

fn with_evidence_written(written: Result<(), TransactError>) -> Result<(), WriteReviewError> {
    match written {
        Ok(()) => Ok(()),
        Err(TransactError::ConditionFailed { index: 2, .. }) => Err(WriteReviewError::EvidenceUsed),
        Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => Err(WriteReviewError::Changed),
        Err(TransactError::Store(error)) => Err(error.into()),
    }
}
