//! The first read of a gateway request, and the checks on its caller.

use std::time::Instant;

use axum::http::request::Parts;
use crochet::http::caller::Agent;
use crochet::http::limited::count_failed_auth;
use crochet::http::trace::RequestTrace;
use crochet::http::{Code, Result};
use crochet::limits::GATEWAY_PER_KEY;
use crochet::store::api_key::ApiKeyRecord;
use crochet::store::counter::Traffic;
use crochet::store::gateway_reads::CallLookup;
use crochet_domain::api_key::{ApiKey, Scope};
use crochet_domain::breaker::BreakerRecord;
use crochet_domain::call::{Call, CallKey};
use crochet_domain::ids::ListingId;
use crochet_domain::listing::{Listing, ListingStatus};
use crochet_domain::timestamp::unix_ms;
use time::OffsetDateTime;

use super::CallContext;
use super::in_flight::InFlightSlot;
use super::request::GatewayRequest;
use crate::state::State;

/// What the first round trip returns.
pub(super) struct Loaded {
    pub(super) key: ApiKeyRecord,
    listing: Option<Listing>,
    paid_call: Option<Call>,
    traffic: [Traffic; 2],
    breaker: Option<BreakerRecord>,
}

impl Loaded {
    /// Reads the key, the listing and the call of the named payment in one batch. At the same time, it updates the caller's rate
    /// counter and, at a listing that this instance knows as free, acquires the slot.
    pub(super) async fn read(
        state: &State,
        parts: &Parts,
        key: &ApiKey,
        name: &str,
        payment_id: Option<&str>,
        slot: &InFlightSlot<'_>,
        now: OffsetDateTime,
    ) -> Result<Self> {
        let store = &state.app.store;
        let listing_id = match name.parse::<ListingId>() {
            Ok(id) => Some(id),
            Err(_) => state.remembered.slug(name),
        };
        let known_as_free = listing_id.filter(|id| payment_id.is_none() && state.remembered.is_free(*id));
        let acquired = async {
            match known_as_free {
                Some(listing) => slot.acquire(listing).await.map(drop),
                None => Ok(()),
            }
        };
        let call = payment_id.map(|id| CallKey::of_payment(state.provider.name(), id));
        let counter = key.counter_name();
        let (read, status, acquired) = tokio::join!(
            store.look_up_call(key.id(), listing_id, call.as_ref(), slot.minute()),
            state.app.limiter.count(GATEWAY_PER_KEY, &counter, now),
            acquired,
        );
        let CallLookup { key: stored, listing, call, traffic, breaker } = read?;
        let Some(stored) = stored.filter(|stored| stored.admits(key, unix_ms(now))) else {
            return Err(count_failed_auth(&state.app, parts, Code::InvalidApiKey.into()).await);
        };
        let trace = RequestTrace::of(parts);
        trace.caller(stored.profile);
        trace.limit(status?)?;
        acquired?;
        let loaded = Self { key: stored, listing, paid_call: call, traffic, breaker };
        // A remembered slug may belong to another listing by now, because a deleted draft gives its slug back.
        match &loaded.listing {
            Some(listing) if listing.id.to_string() == name.to_ascii_lowercase() || listing.slug == name => Ok(loaded),
            None if name.parse::<ListingId>().is_ok() => Ok(loaded),
            _ => loaded.find_by_slug(state, name, slot).await,
        }
    }

    /// Finds a listing by a slug that this instance has not seen before: two more reads.
    async fn find_by_slug(mut self, state: &State, slug: &str, slot: &InFlightSlot<'_>) -> Result<Self> {
        slot.settle().await;
        self.listing = None;
        let is_slug = slug.len() <= 100 && slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if is_slug && let Some(id) = state.app.store.listing_of_slug(slug).await? {
            let read = state.app.store.look_up_call(&self.key.id, Some(id), None, slot.minute()).await?;
            let CallLookup { listing, traffic, breaker, .. } = read;
            if listing.is_some() {
                state.remembered.remember_slug(slug, id);
            }
            (self.listing, self.traffic, self.breaker) = (listing, traffic, breaker);
        }
        Ok(self)
    }

    /// Checks the caller's scope and role, and whether the caller may see the listing.
    pub(super) fn authorize(
        self,
        state: &State,
        request: Result<GatewayRequest>,
        now: OffsetDateTime,
        began: Instant,
    ) -> Result<CallContext<'_>> {
        let agent = Agent::of(self.key);
        agent.may(Scope::Write)?;
        agent.buys()?;
        let listing = self.listing.ok_or(Code::ListingNotFound)?;
        // Only its owner can see a draft.
        if listing.status == ListingStatus::Draft && listing.seller.id != agent.profile {
            return Err(Code::ListingNotFound.into());
        }
        Ok(CallContext {
            state,
            agent,
            request: request?,
            listing,
            paid_call: self.paid_call,
            traffic: self.traffic,
            breaker: self.breaker,
            now,
            began,
        })
    }
}
