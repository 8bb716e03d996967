//! The state of the listing, as [`decide`](crochet_domain::call::decide::decide) sees it.

use crochet::http::{ApiError, Result};
use crochet::store::traffic::{CountedCall, Traffic};
use crochet_domain::call::view::{ListingClosed, ListingView, SchemaCheck, TrafficRefusal};
use crochet_domain::listing::{Endpoint, EndpointStatus, ListingStatus};
use crochet_domain::schema::Mismatch;
use crochet_domain::share::Holder;

use super::CallContext;
use super::breaker_permit::retry_after;
use super::in_flight::InFlightSlot;

impl CallContext<'_> {
    /// Reads the listing's traffic again if it leaves no room for this call: it was read as it was a moment ago, and nobody is refused
    /// by what has changed since.
    pub(super) async fn confirm_traffic(&mut self, slot: &InFlightSlot<'_>) -> Result<()> {
        let is_refused = || {
            let view = self.listing_view(None);
            view.traffic.is_some() || view.breaker_retry_after.is_some()
        };
        if slot.traffic().is_none() && is_refused() {
            self.traffic = self.state.app.store.traffic(self.listing.id).await?;
        }
        Ok(())
    }

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
                let buyer = Holder::of(self.agent.profile);
                retry_after(self.traffic.breaker.as_ref(), endpoint, &buyer, crochet_domain::timestamp::unix_ms(now))
            }),
            endpoint_mark: endpoint.map(Endpoint::mark),
            relaxed: self.state.app.config.limit_factor,
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

    /// The traffic limit that leaves no room for this call, if any: of the listing, or of what this buyer may hold of it. `with_this`
    /// is the listing's exact traffic including this call, if this call holds a slot.
    pub(super) fn traffic_refusal(&self, with_this: Option<Traffic>) -> Option<TrafficRefusal> {
        let Some(with_this) = with_this else { return self.refusal_by(&self.traffic, 1) };
        let refusal = self.refusal_by(&with_this, 0);
        // The next call of this key acquires its slot while the key is read, if it is likely to keep it.
        match refusal {
            None => self.state.remembered.remember_admitted(&self.agent, self.key_hash.clone(), self.now_ms()),
            Some(_) => self.state.remembered.forget_admitted(&self.agent.key),
        }
        refusal
    }

    /// The limit that leaves no room for what this buyer holds of `traffic` and `more` calls.
    fn refusal_by(&self, traffic: &Traffic, more: u32) -> Option<TrafficRefusal> {
        if let Some(limit) = self.rate_limit() {
            let call = CountedCall::of(self.agent.profile, self.now.unix_timestamp().div_euclid(60), limit);
            let calls = traffic.calls(&call);
            if !calls.allows(limit, call.holder(), calls.by(call.holder()) + more) {
                return Some(TrafficRefusal::RateLimited);
            }
        }
        let (buyer, held) = (Holder::of(self.agent.profile), traffic.in_flight(self.now_ms()));
        let is_allowed = held.allows(self.state.app.config.listing_concurrency, &buyer, held.by(&buyer) + more);
        (!is_allowed).then(|| TrafficRefusal::Busy { in_flight: (held.total() + more).saturating_sub(1) })
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
