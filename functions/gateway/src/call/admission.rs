//! Whether a listing takes this call at all. No money is asked for a doomed one.

use crochet::http::{ApiError, Code};
use crochet::store::counter::Traffic;
use crochet_domain::listing::{EndpointStatus, ListingStatus};

use super::Passage;
use super::incoming::{Body, JsonBody};

impl Passage<'_> {
    /// The listing's and its endpoint's state.
    ///
    /// # Errors
    /// `LISTING_NOT_ACTIVE`, `LISTING_HAS_NO_GATEWAY`, `ENDPOINT_PAUSED`.
    pub(crate) fn check_state(&self) -> Result<(), ApiError> {
        if self.listing.status != ListingStatus::Active {
            return Err(ApiError::new(Code::ListingNotActive).detail("status", self.listing.status.as_str()));
        }
        match &self.listing.endpoint {
            None => Err(Code::ListingHasNoGateway.into()),
            Some(endpoint) if endpoint.status == EndpointStatus::Paused => Err(Code::EndpointPaused.into()),
            Some(_) => Ok(()),
        }
    }

    /// The body, checked against the listing's schema.
    ///
    /// # Errors
    /// What is wrong with the body; `INPUT_SCHEMA_MISMATCH` with the paths that failed.
    pub(crate) fn check_body(&self) -> Result<JsonBody, ApiError> {
        let body = self.incoming.json()?.clone();
        let Some(schema) = &self.listing.input_schema else { return Ok(body) };
        let schema = self.state.remembered.schema(&self.listing, schema).map_err(ApiError::internal)?;
        match schema.check(&body.value) {
            Ok(()) => Ok(body),
            Err(mismatches) => {
                let errors = serde_json::to_value(&mismatches).map_err(ApiError::internal)?;
                Err(ApiError::new(Code::InputSchemaMismatch).detail("errors", errors))
            }
        }
    }

    /// What the listing can take right now. `started` is the count that this call has moved itself, where it has: what was
    /// read meanwhile may hold it or not.
    ///
    /// # Errors
    /// `LISTING_RATE_LIMITED`, `LISTING_BUSY`.
    pub(crate) fn check_traffic(&self, started: Option<Traffic>) -> Result<(), ApiError> {
        let [this_minute, last_minute] = self.traffic;
        let (begun, in_flight) = match started {
            Some(with_this) => (with_this.started.saturating_sub(1), with_this.in_flight().saturating_sub(1)),
            None => (this_minute.started, this_minute.in_flight()),
        };
        if let Some(limit) = self.rate_limit()
            && begun >= limit
        {
            return Err(self.rate_limited(limit));
        }
        let in_flight = in_flight + last_minute.in_flight();
        if in_flight >= self.state.app.config.listing_concurrency {
            return Err(ApiError::new(Code::ListingBusy).retry_after(1).detail("in_flight", in_flight));
        }
        Ok(())
    }

    /// How many calls a minute the seller takes.
    fn rate_limit(&self) -> Option<u32> {
        self.listing.endpoint.as_ref().and_then(|endpoint| endpoint.rate_limit_per_minute)
    }

    /// The listing takes no more calls in this minute.
    fn rate_limited(&self, limit: u32) -> ApiError {
        let wait = 60 - self.now.unix_timestamp().rem_euclid(60);
        ApiError::new(Code::ListingRateLimited).retry_after(u64::try_from(wait).unwrap_or(60)).detail("limit", limit)
    }

    /// Whether only the price is asked for.
    pub(crate) fn is_probe(&self) -> bool {
        matches!(self.incoming.body, Body::Empty) && self.incoming.payment_id.is_none() && self.listing.is_paid()
    }
}
