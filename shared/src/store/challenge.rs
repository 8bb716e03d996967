//! Challenges and proofs of work: each is used up by the first attempt that presents it, good or bad.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::counter::s;
use super::keys::Key;
use super::table::{Item, Range, Transacted, record};
use super::write::{Condition, Putting, Updating};
use super::{Store, StoreError, keys};
use crochet_domain::challenge::{Challenge, ProofOfWork};
use crochet_domain::ids::{ProfileId, random_bytes};
use crochet_domain::timestamp::unix_ms;

/// A proof of work that a seller asked for, to create a listing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListingWork {
    /// What has to be solved.
    pub pow: ProofOfWork,
    /// Until when (Unix milliseconds).
    pub expires_ms: i64,
}

/// Other takers of a challenge are given way to this often.
const TRIES: usize = 5;
/// Who has used a challenge up: the attribute of its item that says so.
const TAKEN_BY: &str = "taken_by";
/// How often the newest proof of work is looked for while others take it first.
const NEWEST_TRIES: usize = 5;

/// A name for one attempt to take challenges, known to nobody else.
fn taker() -> String {
    hex::encode(random_bytes::<12>())
}

fn taking(taker: &str) -> Updating {
    Updating::new("SET #taken = :me")
        .name("#taken", TAKEN_BY)
        .value(":me", s(taker))
        .when("attribute_exists(PK) AND (attribute_not_exists(#taken) OR #taken = :me)")
}

fn is_free_for(item: &Item, taker: &str) -> bool {
    item.get(TAKEN_BY).is_none_or(|by| *by == s(taker))
}

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

    /// Uses a challenge up and gives it: nobody else gets it again. It may have expired meanwhile.
    ///
    /// It is marked, not deleted: a taker whose reply was lost finds its own mark, and gets it all the same.
    ///
    /// # Errors
    /// Where DynamoDB does not answer; [`StoreError::Conflict`] where other takers are in the way for too long.
    pub async fn take_challenge(&self, nonce: &str) -> Result<Option<Challenge>, StoreError> {
        self.take_once(&keys::challenge(nonce)).await
    }

    /// Uses two challenges up at once. Of parallel takers of the same two, one gets both and the others none; where only one of
    /// them is left, that one is used up all the same. They may have expired meanwhile.
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
        for _ in 0..TRIES {
            let mut found = self.table.get_all(&places).await?;
            let pair = places.each_ref().map(|place| found.take_item(place).filter(|item| is_free_for(item, &taker)));
            let [Some(one), Some(other)] = pair else {
                let (one, other) = tokio::join!(self.take_as(&places[0], &taker), self.take_as(&places[1], &taker));
                return Ok([one?, other?]);
            };
            let operations = places.iter().map(|place| self.table.updating(place, taking(&taker))).collect::<Result<_, _>>()?;
            match self.table.transact(operations).await? {
                Transacted::Done => return Ok([Some(record(one)?), Some(record(other)?)]),
                // Somebody was first at one of them, or is at it right now.
                Transacted::Refused { .. } | Transacted::Conflict => {}
            }
        }
        Err(StoreError::Conflict)
    }

    /// Uses up what stands at this place, a challenge or a ceremony, as [`Store::take_challenge`] does.
    pub(super) async fn take_once<T: DeserializeOwned>(&self, place: &Key) -> Result<Option<T>, StoreError> {
        self.take_as(place, &taker()).await
    }

    async fn take_as<T: DeserializeOwned>(&self, place: &Key, taker: &str) -> Result<Option<T>, StoreError> {
        for _ in 0..TRIES {
            match self.table.update(place, taking(taker)).await {
                Ok(Ok(item)) => return record(item).map(Some),
                Ok(Err(_)) => return Ok(None),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
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
