//! One gateway call.
//!
//! [`handler`] authenticates and loads, [`resolve`] finds the call that the request means, [`advance`] decides and acts until there is
//! a reply. The other files carry out one step each.

mod admission;
pub(crate) mod advance;
mod ask;
mod breaker_permit;
mod deliver;
mod errors;
mod forward;
mod free;
pub(crate) mod handler;
mod in_flight;
mod load;
mod not_found;
mod offer;
mod open_quotes;
mod progress;
mod quote;
mod refuse;
mod reply;
mod request;
mod resolve;
mod terms;

use std::time::{Duration, Instant};

use crochet::http::ApiError;
use crochet::http::caller::Agent;
use crochet::http::near::nearest;
use crochet::store::traffic::Traffic;
use crochet_domain::api_key::KeyHash;
use crochet_domain::call::{Call, CalledListing};
use crochet_domain::listing::Listing;
use crochet_domain::timestamp::unix_ms;
use time::OffsetDateTime;

use crate::state::State;
pub(crate) use quote::QUOTE_TTL_SECONDS;
use request::{GatewayRequest, KNOWN_HEADERS};

/// Time budget of one request. API Gateway ends it at 30 s, the function at 29 s, and the reply must get out in time.
const BUDGET: Duration = Duration::from_millis(28_500);
/// Time for the breaker and the seller's secret, which come before the seller.
const BEFORE_SELLER: Duration = Duration::from_millis(500);
/// Time reserved after the seller's, for storing the outcome.
const RESERVE: Duration = Duration::from_secs(2);

/// Everything that is known about a gateway request after the first read.
pub(crate) struct CallContext<'a> {
    state: &'a State,
    agent: Agent,
    key_hash: KeyHash,
    request: GatewayRequest,
    listing: Listing,
    /// The call of the payment that the request names.
    paid_call: Option<Call>,
    /// The listing's traffic without this call, and its breaker, as they were when the request began.
    traffic: Traffic,
    now: OffsetDateTime,
    began: Instant,
}

impl CallContext<'_> {
    fn now_ms(&self) -> i64 {
        unix_ms(self.now)
    }

    fn time_left(&self) -> Duration {
        BUDGET.saturating_sub(self.began.elapsed())
    }

    /// Whether enough time is left for the seller's whole timeout and for storing the outcome.
    fn has_time_for_seller(&self, timeout: Duration) -> bool {
        self.time_left() >= timeout + RESERVE
    }

    /// Time for what comes before the seller, whose whole timeout is kept, and time for reading its secret.
    fn time_before_seller(&self, timeout: Duration) -> Duration {
        self.time_left().saturating_sub(timeout + RESERVE + BEFORE_SELLER)
    }

    /// Names the headers that change nothing because they are not ours.
    fn with_unknown_headers(&self, error: ApiError) -> ApiError {
        let unknown = &self.request.unknown_headers;
        if unknown.is_empty() {
            return error;
        }
        let meant = |name: &String| Some((name.clone(), nearest(name, &KNOWN_HEADERS)?.into()));
        let meant: serde_json::Map<String, serde_json::Value> = unknown.iter().filter_map(meant).collect();
        let error = error.detail("unknown_headers", unknown.clone());
        if meant.is_empty() { error } else { error.detail("did_you_mean", meant) }
    }

    /// The listing, as it is now.
    fn called_listing(&self) -> CalledListing {
        CalledListing { id: self.listing.id, slug: self.listing.slug.clone(), name: self.listing.name.clone() }
    }
}
