//! One call: read, decide, quote or deliver.

pub(crate) mod admission;
pub(crate) mod answer;
pub(crate) mod breaker;
pub(crate) mod deliver;
pub(crate) mod entry;
pub(crate) mod errors;
pub(crate) mod forward;
pub(crate) mod free;
pub(crate) mod incoming;
pub(crate) mod names;
pub(crate) mod offer;
pub(crate) mod payment;
pub(crate) mod quote;
pub(crate) mod terms;

use std::time::{Duration, Instant};

use crochet::http::caller::Agent;
use crochet::store::counter::Traffic;
use crochet_domain::breaker::BreakerRecord;
use crochet_domain::ids::ListingId;
use crochet_domain::listing::Listing;
use crochet_domain::timestamp::unix_ms;
use time::OffsetDateTime;

use crate::State;
use incoming::Incoming;

/// What one invocation may take: API Gateway ends at 30 s, the function at 29 s, and the answer has to get out.
const BUDGET: Duration = Duration::from_millis(28_500);
/// What is kept back after the seller's time, to write the outcome.
const RESERVE: Duration = Duration::from_secs(2);
/// A free call is sent with less time than its endpoint's, but with no less than this.
const LEAST_FOR_FREE: Duration = Duration::from_secs(5);

/// One gateway call on its way: who, what, where to, and how much time is left.
pub(crate) struct Passage<'a> {
    pub(crate) state: &'a State,
    pub(crate) agent: Agent,
    pub(crate) incoming: Incoming,
    pub(crate) listing: Listing,
    /// Calls at the listing in this minute and the one before, as the first read saw them.
    pub(crate) traffic: [Traffic; 2],
    /// What is remembered of the endpoint's failures, as the first read saw it.
    pub(crate) breaker: Option<BreakerRecord>,
    pub(crate) now: OffsetDateTime,
    pub(crate) began: Instant,
}

impl Passage<'_> {
    pub(crate) fn now_ms(&self) -> i64 {
        unix_ms(self.now)
    }

    pub(crate) fn time_left(&self) -> Duration {
        BUDGET.saturating_sub(self.began.elapsed())
    }

    /// Whether the seller can be given its whole time, and the outcome still be written.
    pub(crate) fn time_for_seller(&self, timeout: Duration) -> bool {
        self.time_left() >= timeout + RESERVE
    }

    pub(crate) fn minute(&self) -> i64 {
        self.now.unix_timestamp().div_euclid(60)
    }

    pub(crate) fn listing_id(&self) -> ListingId {
        self.listing.id
    }
}
