//! What an instance remembers between calls. Forgetting it costs a round trip, nothing else.

use std::sync::Arc;

use crochet_domain::ids::ListingId;
use crochet_domain::listing::Listing;
use crochet_domain::schema::{InputSchema, SchemaError};
use quick_cache::sync::Cache;

/// Maximum number of entries in each cache. A parsed schema takes up to a few hundred kilobytes.
const MAX_ENTRIES: usize = 1_000;

pub(crate) struct Remembered {
    slugs: Cache<String, ListingId>,
    free: Cache<ListingId, ()>,
    /// By listing and version of the listing.
    schemas: Cache<ListingId, (u64, Arc<InputSchema>)>,
}

impl Default for Remembered {
    fn default() -> Self {
        Self { slugs: Cache::new(MAX_ENTRIES), free: Cache::new(MAX_ENTRIES), schemas: Cache::new(MAX_ENTRIES) }
    }
}

impl Remembered {
    pub(crate) fn slug(&self, slug: &str) -> Option<ListingId> {
        self.slugs.get(slug)
    }

    pub(crate) fn remember_slug(&self, slug: &str, listing: ListingId) {
        self.slugs.insert(slug.to_owned(), listing);
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

    /// Whether the listing was free when this instance last saw it.
    pub(crate) fn is_free(&self, listing: ListingId) -> bool {
        self.free.get(&listing).is_some()
    }

    pub(crate) fn remember_free(&self, listing: ListingId) {
        self.free.insert(listing, ());
    }

    pub(crate) fn forget_free(&self, listing: ListingId) {
        self.free.remove(&listing);
    }
}
