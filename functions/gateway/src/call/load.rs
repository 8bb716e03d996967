//! The first read of a gateway request, and the checks on its caller.

use std::time::Instant;

use axum::http::request::Parts;
use crochet::http::caller::Agent;
use crochet::http::limited::count_failed_auth;
use crochet::http::trace::RequestTrace;
use crochet::http::{Code, Result};
use crochet::limits::GATEWAY_PER_KEY;
use crochet::store::api_key::ApiKeyRecord;
use crochet::store::gateway_reads::CallLookup;
use crochet::store::traffic::Traffic;
use crochet_domain::api_key::{ApiKey, Scope};
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
    /// The listing's traffic without this call.
    traffic: Traffic,
}

impl Loaded {
    /// Reads the key, the listing and the call of the named payment in one batch, and the listing's traffic beside it. At the same
    /// time, it updates the caller's rate counter.
    ///
    /// At a listing that this instance knows as free, it acquires the slot instead of reading the traffic, to save a round trip: but
    /// only for JSON, and with a key that this instance has just seen. Nobody else's room may be used up by what must be refused.
    pub(super) async fn read(
        state: &State,
        parts: &Parts,
        key: &ApiKey,
        name: &str,
        request: &Result<GatewayRequest>,
        slot: &InFlightSlot<'_>,
        now: OffsetDateTime,
    ) -> Result<Self> {
        let store = &state.app.store;
        let listing_id = match name.parse::<ListingId>() {
            Ok(id) => Some(id),
            Err(_) => state.remembered.slug(name),
        };
        let payment_id = request.as_ref().ok().and_then(|request| request.payment_id.as_deref());
        let is_free_call = payment_id.is_none() && request.as_ref().is_ok_and(|request| request.json().is_ok());
        let early = listing_id.filter(|_| is_free_call).and_then(|id| {
            let (rate_limit, buyer) = (state.remembered.rate_of_free(id)?, state.remembered.admitted(key, unix_ms(now))?);
            slot.belongs_to(buyer, rate_limit);
            Some(id)
        });
        let traffic = async {
            match (early, listing_id) {
                (Some(listing), _) => slot.acquire(listing).await.map(|_| slot.others_traffic().unwrap_or_default()),
                (None, Some(listing)) => store.recent_traffic(listing).await,
                (None, None) => Ok(Traffic::default()),
            }
        };
        let call = payment_id.map(|id| CallKey::of_payment(state.provider.name(), id));
        let counter = key.counter_name();
        let (read, status, traffic) = tokio::join!(
            store.look_up_call(key.id(), listing_id, call.as_ref()),
            state.app.limiter.count(GATEWAY_PER_KEY, &counter, now),
            traffic,
        );
        let CallLookup { key: stored, listing, call } = read?;
        let Some(stored) = stored.filter(|stored| stored.admits(key, unix_ms(now))) else {
            if early.is_some() {
                state.remembered.forget_admitted(key.id());
            }
            return Err(count_failed_auth(&state.app, parts, Code::InvalidApiKey.into()).await);
        };
        let trace = RequestTrace::of(parts);
        trace.caller(stored.profile);
        trace.limit(status?)?;
        let loaded = Self { key: stored, listing, paid_call: call, traffic: traffic? };
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
            let store = &state.app.store;
            let (read, traffic) = tokio::join!(store.look_up_call(&self.key.id, Some(id), None), store.recent_traffic(id));
            (self.listing, self.traffic) = (read?.listing, traffic?);
            if self.listing.is_some() {
                state.remembered.remember_slug(slug, id);
            }
        }
        Ok(self)
    }

    /// Checks the caller's scope and role, and whether the caller may see the listing. The slot is the caller's from here on.
    pub(super) fn authorize<'a>(
        self,
        state: &'a State,
        request: Result<GatewayRequest>,
        slot: &InFlightSlot<'_>,
        now: OffsetDateTime,
        began: Instant,
    ) -> Result<CallContext<'a>> {
        let key_hash = self.key.hash.clone();
        let agent = Agent::of(self.key);
        agent.may(Scope::Write)?;
        agent.buys()?;
        let listing = self.listing.ok_or(Code::ListingNotFound)?;
        // Only its owner can see a draft.
        if listing.status == ListingStatus::Draft && listing.seller.id != agent.profile {
            return Err(Code::ListingNotFound.into());
        }
        let rate_limit = listing.endpoint.as_ref().and_then(|endpoint| endpoint.rate_limit_per_minute);
        state.remembered.remember_rate(listing.id, rate_limit);
        slot.belongs_to(agent.profile, rate_limit);
        Ok(CallContext {
            state,
            agent,
            key_hash,
            request: request?,
            listing,
            paid_call: self.paid_call,
            traffic: self.traffic,
            now,
            began,
        })
    }
}
