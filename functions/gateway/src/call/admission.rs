//! The state of the listing, as [`decide`](crochet_domain::call::decide::decide) sees it.

use crochet::http::{ApiError, Result};
use crochet::store::counter::Traffic;
use crochet_domain::call::view::{ListingClosed, ListingView, SchemaCheck, TrafficRefusal};
use crochet_domain::listing::{EndpointStatus, ListingStatus};
use crochet_domain::schema::Mismatch;

use super::CallContext;
use super::breaker_permit::retry_after;

impl CallContext<'_> {
    /// The state of the listing. `with_this` is its traffic including this call, if this call holds a slot.
    pub(super) fn listing_view(&self, with_this: Option<Traffic>) -> ListingView {
        let endpoint = self.listing.endpoint.as_ref();
        ListingView {
            id: self.listing.id,
            is_paid: self.listing.is_paid(),
            closed: self.closed(),
            endpoint_active: endpoint.is_some_and(|endpoint| endpoint.status == EndpointStatus::Active),
            traffic: self.traffic_refusal(with_this),
            breaker_retry_after: endpoint.and_then(|endpoint| {
                let now = self.state.app.clock.now();
                retry_after(self.breaker.as_ref(), endpoint, crochet_domain::timestamp::unix_ms(now))
            }),
        }
    }

    fn closed(&self) -> Option<ListingClosed> {
        if self.listing.status != ListingStatus::Active {
            return Some(ListingClosed::NotActive);
        }
        match &self.listing.endpoint {
            None => Some(ListingClosed::NoEndpoint),
            Some(endpoint) if endpoint.status == EndpointStatus::Paused => Some(ListingClosed::Paused),
            Some(_) => None,
        }
    }

    /// The traffic limit that the listing has reached, if any. `with_this` is its traffic including this call, if this call holds a
    /// slot: the first read may or may not have counted it.
    pub(super) fn traffic_refusal(&self, with_this: Option<Traffic>) -> Option<TrafficRefusal> {
        let (started, in_flight) = match with_this {
            Some(with_this) => (with_this.started.saturating_sub(1), with_this.in_flight().saturating_sub(1)),
            None => (self.traffic[0].started, self.traffic[0].in_flight()),
        };
        if self.rate_limit().is_some_and(|limit| started >= limit) {
            return Some(TrafficRefusal::RateLimited);
        }
        let in_flight = in_flight + self.traffic[1].in_flight();
        (in_flight >= self.state.app.config.listing_concurrency).then_some(TrafficRefusal::Busy { in_flight })
    }

    /// The seller's limit of calls per minute.
    pub(super) fn rate_limit(&self) -> Option<u32> {
        self.listing.endpoint.as_ref().and_then(|endpoint| endpoint.rate_limit_per_minute)
    }

    /// Checks the body against the listing's input schema.
    pub(super) fn check_schema(&self) -> Result<(SchemaCheck, Vec<Mismatch>)> {
        let body = self.request.json()?;
        let Some(schema) = &self.listing.input_schema else { return Ok((SchemaCheck::Fits, Vec::new())) };
        let schema = self.state.remembered.schema(&self.listing, schema).map_err(ApiError::internal)?;
        Ok(match schema.check(&body.value) {
            Ok(()) => (SchemaCheck::Fits, Vec::new()),
            Err(mismatches) => (SchemaCheck::Fails, mismatches),
        })
    }
}
