//! Challenges and proofs of work. The first attempt that presents one uses it up, whether it succeeds or not.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::conditional::WriteError;
use super::item::{Item, record, s};
use super::keys::Key;
use super::read::Range;
use super::retry::{Attempts, retry_on_conflict};
use super::transaction::TransactError;
use super::write::{Condition, Put, Update};
use super::{Store, StoreError, keys};
use crochet_domain::challenge::{Challenge, ProofOfWork};
use crochet_domain::ids::{ProfileId, random_bytes};
use crochet_domain::timestamp::unix_ms;

/// A proof of work that a seller requested to create a listing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListingPow {
    /// The puzzle.
    pub pow: ProofOfWork,
    /// When it expires (Unix milliseconds).
    pub expires_ms: i64,
}

/// Attribute that marks a challenge as used, with the id of the attempt that used it.
const TAKEN_BY: &str = "taken_by";
/// Maximum attempts to take the newest proof of work while concurrent requests take it first.
const NEWEST_ATTEMPTS: usize = 5;

/// A random id for one attempt to take challenges.
fn taker() -> String {
    hex::encode(random_bytes::<12>())
}

fn taking(taker: &str) -> Update {
    Update::new("SET #taken = :me")
        .name("#taken", TAKEN_BY)
        .value(":me", s(taker))
        .when("attribute_exists(PK) AND (attribute_not_exists(#taken) OR #taken = :me)")
}

fn is_free_for(item: &Item, taker: &str) -> bool {
    item.get(TAKEN_BY).is_none_or(|by| *by == s(taker))
}

impl Store {
    /// Stores a challenge until it is presented or expires.
    pub async fn save_challenge(&self, challenge: &Challenge) -> Result<(), StoreError> {
        let put = Put::new(&keys::challenge(&challenge.nonce), "challenge", challenge)?
            .expiring(challenge.expires_at.unix_timestamp())
            .when(Condition::absent());
        match self.table.put(put).await {
            Ok(()) => Ok(()),
            // If the nonce is stored already, the reply to our own write was lost.
            Err(error) => error.found().map(drop),
        }
    }

    /// Takes a challenge, so that nobody can take it again. It may have expired.
    ///
    /// The challenge is marked instead of deleted: if the reply is lost, the retry finds its own mark and still gets it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after too many concurrent attempts.
    pub async fn take_challenge(&self, nonce: &str) -> Result<Option<Challenge>, StoreError> {
        self.take_once(&keys::challenge(nonce)).await
    }

    /// Takes two challenges at once. Of concurrent attempts to take the same two, one gets both and the others get none. If only
    /// one of the two is left, it is used up. They may have expired.
    ///
    /// # Errors
    /// As [`Store::take_challenge`].
    pub async fn take_challenges(&self, first: &str, second: &str) -> Result<[Option<Challenge>; 2], StoreError> {
        let taker = taker();
        if first == second {
            let taken: Option<Challenge> = self.take_as(&keys::challenge(first), &taker).await?;
            return Ok([taken.clone(), taken]);
        }
        let places = [keys::challenge(first), keys::challenge(second)];
        let mut attempts = Attempts::default();
        loop {
            let mut found = self.table.get_all(&places).await?;
            let pair = places.each_ref().map(|place| found.take_item(place).filter(|item| is_free_for(item, &taker)));
            let [Some(one), Some(other)] = pair else {
                let (one, other) = tokio::join!(self.take_as(&places[0], &taker), self.take_as(&places[1], &taker));
                return Ok([one?, other?]);
            };
            let operations =
                places.iter().map(|place| self.table.transact_update(place, taking(&taker))).collect::<Result<_, _>>()?;
            match self.table.transact(operations).await {
                Ok(()) => return Ok([Some(record(one)?), Some(record(other)?)]),
                // A concurrent attempt took one of them, or is about to.
                Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => {
                    attempts.next_or(StoreError::Conflict).await?
                }
                Err(TransactError::Store(error)) => return Err(error),
            }
        }
    }

    /// Takes the challenge or ceremony with this key, as [`Store::take_challenge`] does.
    pub(super) async fn take_once<T: DeserializeOwned>(&self, place: &Key) -> Result<Option<T>, StoreError> {
        self.take_as(place, &taker()).await
    }

    async fn take_as<T: DeserializeOwned>(&self, place: &Key, taker: &str) -> Result<Option<T>, StoreError> {
        retry_on_conflict(|| async {
            match self.table.update(place, taking(taker)).await {
                Ok(item) => record(item).map(Some),
                Err(WriteError::ConditionFailed(_)) => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    /// Stores a seller's proof of work until it is presented or expires.
    pub async fn save_listing_pow(&self, seller: ProfileId, work: &ListingPow) -> Result<(), StoreError> {
        let put =
            Put::new(&keys::listing_work(seller, &work.pow.challenge), "listing_work", work)?.expiring(work.expires_ms / 1_000);
        Ok(self.table.put(put).await?)
    }

    /// Takes a seller's proof of work: the one with this challenge, or else the newest. `None` if it has expired at `now`.
    pub async fn take_listing_pow(
        &self,
        seller: ProfileId,
        challenge: Option<&str>,
        now: time::OffsetDateTime,
    ) -> Result<Option<ListingPow>, StoreError> {
        if let Some(challenge) = challenge {
            let work: Option<ListingPow> = self.table.take(&keys::listing_work(seller, challenge)).await?;
            return Ok(work.filter(|work| unix_ms(now) < work.expires_ms));
        }
        // A concurrent request may take the newest one first. Then the next newest is taken.
        for _ in 0..NEWEST_ATTEMPTS {
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
            let found: ListingPow = record(item)?;
            let taken: Option<ListingPow> = self.table.take(&keys::listing_work(seller, &found.pow.challenge)).await?;
            if let Some(work) = taken {
                return Ok(Some(work).filter(|work| unix_ms(now) < work.expires_ms));
            }
        }
        Ok(None)
    }
}
