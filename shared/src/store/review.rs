//! Reading reviews.

use serde::{Deserialize, Serialize};

use super::item::{Item, record};
use super::keys::{self, Key, PK, SK};
use super::read::Range;
use super::{Store, StoreError};
use crochet_domain::call::{Call, CallKey};
use crochet_domain::ids::{CallId, ListingId, ProfileId, ReviewId};
use crochet_domain::review::{Opinion, Review, Tally};

/// Reviews of a page of an index, and pointers of a page.
const PAGE: i32 = 1_000;
/// Items of one batch read.
const BATCH: usize = 100;
/// A buyer's calls of the first page in which evidence is looked for. Who reviews has usually just bought.
const FIRST_CALLS: i32 = 10;
/// Calls of each page after that.
const MORE_CALLS: i32 = 100;
/// Maximum number of a buyer's calls that are looked at.
pub const EVIDENCE_CALLS: usize = 1_000;

/// Pointer from an author to a review.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReviewPointer {
    pub(super) listing: ListingId,
}

/// Keys of the whole items behind a page of an index.
pub(super) fn whole_keys(items: &[Item]) -> Vec<Key> {
    let text = |item: &Item, name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
    items.iter().filter_map(|item| Some(Key { pk: text(item, PK)?, sk: text(item, SK)? })).collect()
}

impl Store {
    /// The review of a listing by this author.
    pub async fn review(&self, listing: ListingId, author: ProfileId) -> Result<Option<Review>, StoreError> {
        self.table.get(&keys::review(listing, author)).await
    }

    /// The review of a listing with this id. It is found through an index, which may lag a moment behind.
    pub async fn review_by_id(&self, listing: ListingId, id: ReviewId) -> Result<Option<Review>, StoreError> {
        let (partition, id) = (keys::reviews_partition(listing), id.to_string());
        let range =
            Range { index: Some(keys::GSI1), partition: &partition, from: Some(&id), to: Some(&id), newest_first: true, limit: 1 };
        let key = whole_keys(&self.table.query(&range).await?).pop();
        match key {
            Some(key) => self.table.get(&key).await,
            None => Ok(None),
        }
    }

    /// Page `page` (from 1) of a listing's reviews, newest first, and the number of all of them.
    pub async fn reviews_of_listing(
        &self,
        listing: ListingId,
        page: usize,
        limit: usize,
    ) -> Result<(Vec<Review>, usize), StoreError> {
        self.review_page(keys::GSI1, &keys::reviews_partition(listing), page, limit).await
    }

    /// Page `page` (from 1) of the reviews of a seller's listings, newest first, and the number of all of them.
    pub async fn reviews_of_seller(
        &self,
        seller: ProfileId,
        page: usize,
        limit: usize,
    ) -> Result<(Vec<Review>, usize), StoreError> {
        self.review_page(keys::GSI2, &keys::reviews_of_seller_partition(seller), page, limit).await
    }

    /// All reviews of a seller's listings, newest first.
    pub async fn all_reviews_of_seller(&self, seller: ProfileId) -> Result<Vec<Review>, StoreError> {
        let keys = self.index_keys(keys::GSI2, &keys::reviews_of_seller_partition(seller)).await?;
        self.whole_reviews(&keys).await
    }

    /// Page `page` (from 1) of the reviews that an author has written, newest first, and the number of all of them.
    pub async fn reviews_by(&self, author: ProfileId, page: usize, limit: usize) -> Result<(Vec<Review>, usize), StoreError> {
        let mut range = keys::reviews_by(author);
        let mut written = Vec::new();
        loop {
            let items = self.table.query(&Range::of(&range, PAGE)).await?;
            let full = items.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
            let last = whole_keys(&items).pop();
            for item in items {
                written.push(keys::review(record::<ReviewPointer>(item)?.listing, author));
            }
            match last {
                Some(last) if full => range = range.after(&last.sk),
                _ => break,
            }
        }
        written.reverse();
        let wanted: Vec<Key> = written.iter().skip((page - 1) * limit).take(limit).cloned().collect();
        Ok((self.whole_reviews(&wanted).await?, written.len()))
    }

    async fn review_page(
        &self,
        index: &'static str,
        partition: &str,
        page: usize,
        limit: usize,
    ) -> Result<(Vec<Review>, usize), StoreError> {
        let all = self.index_keys(index, partition).await?;
        let wanted: Vec<Key> = all.iter().skip((page - 1) * limit).take(limit).cloned().collect();
        Ok((self.whole_reviews(&wanted).await?, all.len()))
    }

    /// The keys of everything in a partition of an index, newest first. Entries are small: ten thousand take 250 read units.
    async fn index_keys(&self, index: &'static str, partition: &str) -> Result<Vec<Key>, StoreError> {
        let (_, position) = keys::index_attributes(index);
        let mut range = keys::KeyRange { pk: partition.to_owned(), from: keys::BELOW_ALL.into(), to: keys::ABOVE_ALL.into() };
        let mut all = Vec::new();
        loop {
            let items = self.table.query(&Range { index: Some(index), ..Range::of(&range, PAGE) }).await?;
            let full = items.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
            let last = items.last().and_then(|item| item.get(&position)?.as_s().ok().cloned());
            all.extend(whole_keys(&items));
            match last {
                Some(last) if full => range = range.after(&last),
                _ => break,
            }
        }
        all.reverse();
        Ok(all)
    }

    async fn whole_reviews(&self, wanted: &[Key]) -> Result<Vec<Review>, StoreError> {
        let mut reviews = Vec::with_capacity(wanted.len());
        for batch in wanted.chunks(BATCH) {
            let mut found = self.table.get_all(batch).await?;
            for key in batch {
                reviews.extend(found.take::<Review>(key)?);
            }
        }
        Ok(reviews)
    }

    /// What a review said before its author changed it, oldest first.
    pub async fn earlier_opinions(&self, review: &Review) -> Result<Vec<Opinion>, StoreError> {
        let wanted: Vec<Key> =
            (1..review.version).map(|version| keys::earlier_review(review.listing, review.author, version)).collect();
        let mut opinions = Vec::new();
        for batch in wanted.chunks(BATCH) {
            let mut found = self.table.get_all(batch).await?;
            for key in batch {
                opinions.extend(found.take::<Opinion>(key)?);
            }
        }
        Ok(opinions)
    }

    /// What the reviews of a listing come to.
    pub async fn tally(&self, listing: ListingId) -> Result<Tally, StoreError> {
        Ok(self.table.get(&keys::rating(listing)).await?.unwrap_or_default())
    }

    /// The author of a review of this listing among these agents of one person, or the one that is noted for the person.
    pub async fn reviewed_for(
        &self,
        listing: ListingId,
        operator: ProfileId,
        author: ProfileId,
    ) -> Result<Option<ProfileId>, StoreError> {
        let mut wanted = vec![keys::reviewing_operator(listing, operator)];
        let others = self.claims_of(operator).await?;
        wanted.extend(others.into_iter().filter(|agent| *agent != author).map(|agent| keys::review(listing, agent)));
        let mut found = self.table.get_all(&wanted).await?;
        for key in &wanted {
            if let Some(by) = found.take::<Author>(key)?.map(|noted| noted.author).filter(|by| *by != author) {
                return Ok(Some(by));
            }
        }
        Ok(None)
    }

    /// The review whose evidence this call is.
    pub async fn review_with_evidence(&self, call: &Call) -> Result<Option<Review>, StoreError> {
        match self.table.get::<EvidenceMark>(&keys::evidence(call.listing.id, call.id)).await? {
            Some(mark) => self.review(call.listing.id, mark.author).await,
            None => Ok(None),
        }
    }

    /// A page of a buyer's calls at a listing, newest first. `before` is the id of the last call that was read.
    pub async fn calls_at(&self, buyer: ProfileId, listing: ListingId, before: Option<&str>) -> Result<CallsAt, StoreError> {
        let partition = keys::buyer_history_partition(buyer);
        let limit = if before.is_some() { MORE_CALLS } else { FIRST_CALLS };
        let range = Range { index: Some(keys::GSI1), partition: &partition, from: None, to: before, newest_first: true, limit };
        let items = self.table.query(&range).await?;
        let (_, position) = keys::index_attributes(keys::GSI1);
        let id = |item: &Item| item.get(&position).and_then(|id| id.as_s().ok()).cloned();
        let is_last = items.len() < usize::try_from(limit).unwrap_or(usize::MAX);
        let oldest = items.last().and_then(id);
        let fresh: Vec<&Item> = items.iter().filter(|item| id(item).as_deref() != before).collect();
        let wanted: Vec<CallKey> = fresh.iter().filter_map(|item| keys::call_of_partition(item.get(PK)?.as_s().ok()?)).collect();
        let read = wanted.len();
        let mut calls = self.calls(&wanted).await?;
        calls.retain(|call| call.buyer == buyer && call.listing.id == listing);
        Ok(CallsAt { calls, read, oldest: oldest.filter(|_| !is_last && read > 0) })
    }
}

/// A page of a buyer's calls.
#[derive(Debug)]
pub struct CallsAt {
    /// Those at the listing, newest first.
    pub calls: Vec<Call>,
    /// How many calls were read.
    pub read: usize,
    /// The oldest call that was read; `None` if there are no more.
    pub oldest: Option<String>,
}

impl CallsAt {
    /// When the oldest call that was read was created (Unix milliseconds); `None` if there are no more.
    #[must_use]
    pub fn oldest_ms(&self) -> Option<i64> {
        self.oldest.as_deref()?.parse::<CallId>().ok().map(|id| id.created_ms())
    }
}

#[derive(Debug, Deserialize)]
struct Author {
    author: ProfileId,
}

/// That a call is the evidence of a review.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EvidenceMark {
    pub(super) author: ProfileId,
    pub(super) review: ReviewId,
    pub(super) version: u64,
}
