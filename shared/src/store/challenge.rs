//! Challenges and proofs of work: each is used up by the first attempt that presents it, good or bad.

use serde::{Deserialize, Serialize};

use super::table::{Range, Transacted, record};
use super::write::{Condition, Putting};
use super::{Store, StoreError, keys};
use crate::clock::unix_ms;
use crate::domain::challenge::{Challenge, ProofOfWork};
use crate::domain::ids::ProfileId;

/// A proof of work that a seller asked for, to create a listing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListingWork {
    /// What has to be solved.
    pub pow: ProofOfWork,
    /// Until when (Unix milliseconds).
    pub expires_ms: i64,
}

/// How often two challenges are taken together while others are at them.
const PAIR_TRIES: usize = 5;
/// How often the newest proof of work is looked for while others take it first.
const NEWEST_TRIES: usize = 5;

impl Store {
    /// Keeps a challenge until it is presented or expires.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn save_challenge(&self, challenge: &Challenge) -> Result<(), StoreError> {
        let putting = Putting::new(&keys::challenge(&challenge.nonce), "challenge", challenge)?
            .expiring(challenge.expires_at.unix_timestamp())
            .when(Condition::absent());
        self.table.put(putting).await.map(drop)
    }

    /// Takes a challenge out: nobody can present it again. It may have expired meanwhile.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn take_challenge(&self, nonce: &str) -> Result<Option<Challenge>, StoreError> {
        self.table.take(&keys::challenge(nonce)).await
    }

    /// Takes two challenges out at once. Of parallel takers of the same two, one gets both and the others none; what only one of
    /// them is left of is taken all the same. They may have expired meanwhile.
    ///
    /// # Errors
    /// Where DynamoDB does not answer; [`StoreError::Conflict`] where other takers are in the way for too long.
    pub async fn take_challenges(&self, first: &str, second: &str) -> Result<[Option<Challenge>; 2], StoreError> {
        if first == second {
            let taken = self.take_challenge(first).await?;
            return Ok([taken.clone(), taken]);
        }
        let places = [keys::challenge(first), keys::challenge(second)];
        for _ in 0..PAIR_TRIES {
            let mut found = self.table.get_all(&places).await?;
            let pair = [found.take::<Challenge>(&places[0])?, found.take::<Challenge>(&places[1])?];
            if pair.iter().any(Option::is_none) {
                let (one, other) = tokio::join!(self.take_challenge(first), self.take_challenge(second));
                return Ok([one?, other?]);
            }
            let operations = vec![self.table.taking(&places[0])?, self.table.taking(&places[1])?];
            match self.table.transact(operations).await? {
                Transacted::Done => return Ok(pair),
                // Somebody was first at one of them, or is at it right now.
                Transacted::Refused { .. } | Transacted::Conflict => {}
            }
        }
        Err(StoreError::Conflict)
    }

    /// Keeps a seller's proof of work until it is presented or expires.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn save_listing_work(&self, seller: ProfileId, work: &ListingWork) -> Result<(), StoreError> {
        let putting =
            Putting::new(&keys::listing_work(seller, &work.pow.challenge), "listing_work", work)?.expiring(work.expires_ms / 1_000);
        self.table.put(putting).await.map(drop)
    }

    /// Takes a seller's proof of work out: the one of this challenge, else the newest that has not expired at `now`.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn take_listing_work(
        &self,
        seller: ProfileId,
        challenge: Option<&str>,
        now: time::OffsetDateTime,
    ) -> Result<Option<ListingWork>, StoreError> {
        if let Some(challenge) = challenge {
            let work: Option<ListingWork> = self.table.take(&keys::listing_work(seller, challenge)).await?;
            return Ok(work.filter(|work| unix_ms(now) < work.expires_ms));
        }
        // A parallel request may be first at the newest: then the next newest is meant.
        for _ in 0..NEWEST_TRIES {
            let newest = self
                .table
                .query(&Range {
                    index: None,
                    partition: &keys::listing_work_partition(seller),
                    from: None,
                    to: None,
                    newest_first: true,
                    limit: 1,
                })
                .await?;
            let Some(item) = newest.into_iter().next() else { return Ok(None) };
            let found: ListingWork = record(item)?;
            let taken: Option<ListingWork> = self.table.take(&keys::listing_work(seller, &found.pow.challenge)).await?;
            if let Some(work) = taken {
                return Ok(Some(work).filter(|work| unix_ms(now) < work.expires_ms));
            }
        }
        Ok(None)
    }
}
