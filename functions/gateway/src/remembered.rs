//! What an instance remembers between calls. Forgetting it costs a round trip, nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crochet::http::caller::Agent;
use crochet_domain::api_key::{ApiKey, KeyHash, KeyId};
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::listing::Listing;
use crochet_domain::schema::{InputSchema, SchemaError};
use quick_cache::sync::Cache;

/// Maximum number of entries in each cache. A parsed schema takes up to a few hundred kilobytes.
const MAX_ENTRIES: usize = 1_000;
/// Time for which a key counts as just seen (milliseconds).
const ADMITTED_MS: i64 = 60_000;
/// Time for which quotes count as open to everybody (milliseconds). That long an instance goes on quoting once the operator has closed them.
const QUOTES_OPEN_MS: i64 = 15_000;

pub(crate) struct Remembered {
    slugs: Cache<String, ListingId>,
    free: Cache<ListingId, ()>,
    rates: Cache<ListingId, Option<u32>>,
    admitted: Cache<KeyId, Admitted>,
    /// By listing and version of the listing.
    schemas: Cache<ListingId, (u64, Arc<InputSchema>)>,
    /// Until when quotes count as open (Unix milliseconds).
    quotes_open_until_ms: AtomicI64,
}

/// A key whose last free call was within all limits.
#[derive(Clone)]
struct Admitted {
    hash: KeyHash,
    buyer: ProfileId,
    /// Until when it counts as just seen (Unix milliseconds).
    until_ms: i64,
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            slugs: Cache::new(MAX_ENTRIES),
            free: Cache::new(MAX_ENTRIES),
            rates: Cache::new(MAX_ENTRIES),
            admitted: Cache::new(MAX_ENTRIES),
            schemas: Cache::new(MAX_ENTRIES),
            quotes_open_until_ms: AtomicI64::new(i64::MIN),
        }
    }
}

impl Remembered {
    pub(crate) fn slug(&self, slug: &str) -> Option<ListingId> {
        self.slugs.get(slug)
    }

    pub(crate) fn remember_slug(&self, slug: &str, listing: ListingId) {
        self.slugs.insert(slug.to_owned(), listing);
    }

    /// Whether the operator had quotes open a moment ago.
    pub(crate) fn quotes_are_open(&self, now_ms: i64) -> bool {
        let until_ms = self.quotes_open_until_ms.load(Ordering::Relaxed);
        // A clock that was set back forgets.
        (until_ms.saturating_sub(QUOTES_OPEN_MS)..until_ms).contains(&now_ms)
    }

    pub(crate) fn remember_quotes_are_open(&self, now_ms: i64) {
        self.quotes_open_until_ms.store(now_ms + QUOTES_OPEN_MS, Ordering::Relaxed);
    }

    /// The parsed schema of this version of a listing. Parsing costs more than checking.
    pub(crate) fn schema(&self, listing: &Listing, text: &str) -> Result<Arc<InputSchema>, SchemaError> {
        if let Some((version, schema)) = self.schemas.get(&listing.id)
            && version == listing.version
        {
            return Ok(schema);
        }
        let schema = Arc::new(InputSchema::parse(text)?);
        self.schemas.insert(listing.id, (listing.version, Arc::clone(&schema)));
        Ok(schema)
    }

    /// The seller's limit of calls per minute, if the listing was free when this instance last saw it.
    pub(crate) fn rate_of_free(&self, listing: ListingId) -> Option<Option<u32>> {
        self.free.get(&listing).and_then(|()| self.rates.get(&listing))
    }

    pub(crate) fn remember_rate(&self, listing: ListingId, limit: Option<u32>) {
        self.rates.insert(listing, limit);
    }

    /// The buyer, if this instance has just admitted a free call with this key.
    pub(crate) fn admitted(&self, key: &ApiKey, now_ms: i64) -> Option<ProfileId> {
        let known = self.admitted.get(key.id()).filter(|known| now_ms < known.until_ms && known.hash.matches(key))?;
        Some(known.buyer)
    }

    pub(crate) fn remember_admitted(&self, agent: &Agent, hash: KeyHash, now_ms: i64) {
        let until_ms = agent.expires_ms.unwrap_or(i64::MAX).min(now_ms + ADMITTED_MS);
        self.admitted.insert(agent.key.clone(), Admitted { hash, buyer: agent.profile, until_ms });
    }

    pub(crate) fn forget_admitted(&self, key: &KeyId) {
        self.admitted.remove(key);
    }

    pub(crate) fn remember_free(&self, listing: ListingId) {
        self.free.insert(listing, ());
    }

    pub(crate) fn forget_free(&self, listing: ListingId) {
        self.free.remove(&listing);
    }
}
