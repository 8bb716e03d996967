//! `POST /gateway/:listingId`: who calls, what is known, and which way it goes.

use std::time::Instant;

use axum::extract::{Path, Request, State as Extract};
use axum::http::request::Parts;
use crochet::http::caller::{Agent, presented_key};
use crochet::http::limited::{count_failed_auth, count_failed_key};
use crochet::http::limits::GATEWAY_PER_KEY;
use crochet::http::request::read_body;
use crochet::http::trace::RequestTrace;
use crochet::http::{ApiError, Code, Result};
use crochet::store::api_key::ApiKeyRecord;
use crochet::store::counter::Traffic;
use crochet::store::passage::FirstRead;
use crochet_domain::api_key::{ApiKey, Scope};
use crochet_domain::breaker::BreakerRecord;
use crochet_domain::call::Call;
use crochet_domain::ids::ListingId;
use crochet_domain::listing::{Listing, ListingStatus};
use crochet_domain::timestamp::unix_ms;
use time::OffsetDateTime;

use super::Passage;
use super::incoming::{Incoming, MAX_BODY_BYTES};
use super::payment::Approach;
use crate::State;

/// Call a listing through the gateway
///
/// Sends one JSON body to the seller behind a listing and returns its answer. A paid listing first answers 402 with
/// `data.payment`; pay it, then send the same body with `X-Crochet-Relay-Request-Id`. A repeat with the same id or
/// `Idempotency-Key` never charges twice: after delivery it returns the stored answer with `Idempotent-Replayed: true`.
/// An empty body asks a paid listing for its price only.
#[utoipa::path(
    post,
    path = "/api/v1/gateway/{listing_id}",
    tag = "Gateway and payments",
    security(("api_key" = ["write"])),
    params(
        ("listing_id" = String, Path, description = "The listing's id or slug."),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable ASCII characters: your own name for this call."),
        ("X-Crochet-Origin-Currency" = Option<String>, Header, description = "SOL, USDC_SOL, ETH or USDC: what you want to pay in. SOL is recommended."),
        ("X-Crochet-Relay-Request-Id" = Option<String>, Header, description = "The relay_request_id of a 402 that you have paid."),
    ),
    request_body(content = Option<serde_json::Value>, description = "Any JSON value, up to 256 KiB. It reaches the seller byte for byte. Empty: a price probe."),
    responses(
        super::errors::CallListingErrors,
        (status = 200, description = "The seller's answer.", body = super::answer::DeliveredEnvelope),
        (status = 202, description = "The payment is pending; retry with the same relay_request_id.", body = super::answer::PendingEnvelope),
        (status = 402, description = "PAYMENT_REQUIRED with data.payment.", body = super::offer::PaymentRequiredEnvelope),
    ),
)]
pub(crate) async fn call_listing(Extract(state): Extract<State>, Path(name): Path<String>, request: Request) -> Result {
    let began = Instant::now();
    let now = state.app.clock.now();
    let (parts, body) = request.into_parts();
    let key = match presented_key(&parts.headers) {
        Ok(key) => key,
        Err(e) => return Err(count_failed_key(&state.app, &parts, e).await),
    };
    let body = read_body(body, MAX_BODY_BYTES).await;
    let incoming = Incoming::parse(&parts.headers, body);
    let payment_id = incoming.as_ref().ok().and_then(|incoming| incoming.payment_id.clone());
    let known = Known::load(&state, &parts, &key, &name, payment_id.as_deref(), now).await?;
    let (started, key) = (known.started, known.key.clone());
    let (passage, call) = match known.passage(&state, incoming, now, began) {
        Ok(passage) => passage,
        Err((e, listing)) => {
            if let (Some(_), Some(listing)) = (started, listing) {
                state.app.store.call_not_made(listing, now.unix_timestamp().div_euclid(60)).await?;
            }
            return Err(e);
        }
    };
    let going_on = async {
        match &passage.incoming.payment_id {
            Some(_) => Box::pin(passage.with_payment_id(call)).await,
            None => Box::pin(passage.without_payment_id(started)).await,
        }
    };
    // The note costs no time: it is written while the call goes on.
    let ((), answer) = tokio::join!(state.app.store.note_key_use(&key, unix_ms(now)), going_on);
    answer
}

/// What the first round trip brings.
struct Known {
    agent: Agent,
    key: ApiKeyRecord,
    listing: Option<Listing>,
    call: Option<Call>,
    traffic: [Traffic; 2],
    breaker: Option<BreakerRecord>,
    /// The call was counted at its listing already, because this instance remembers the listing as free.
    started: Option<Traffic>,
}

impl Known {
    /// Key, listing and the call of the payment in one batch, while the counters move.
    async fn load(
        state: &State,
        parts: &Parts,
        key: &ApiKey,
        name: &str,
        payment_id: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<Self> {
        let minute = now.unix_timestamp().div_euclid(60);
        let store = &state.app.store;
        let listing_id = match name.parse::<ListingId>() {
            Ok(id) => Some(id),
            Err(_) => state.remembered.slug(name),
        };
        let hinted = listing_id.filter(|id| payment_id.is_none() && state.remembered.is_free(*id));
        let start = async {
            match hinted {
                Some(listing) => store.call_starts(listing, minute).await.map(Some),
                None => Ok(None),
            }
        };
        let counter = key.counter_name();
        let (read, standing, started) = tokio::join!(
            store.first_read(key.id(), listing_id, payment_id, minute),
            state.app.limiter.count(GATEWAY_PER_KEY, &counter, now),
            start,
        );
        let mut read = read?;
        let Some(stored) = read.key.take().filter(|stored| stored.admits(key, unix_ms(now))) else {
            if let Some(listing) = hinted {
                store.call_not_made(listing, minute).await?;
            }
            return Err(count_failed_auth(&state.app, parts, Code::InvalidApiKey.into()).await);
        };
        let agent = Agent::of(stored.clone());
        let trace = RequestTrace::of(parts);
        trace.caller(agent.profile);
        let within_limit = trace.limit(standing?);
        let FirstRead { listing, call, traffic, breaker, .. } = read;
        let known = Self { agent, key: stored, listing, call, traffic, breaker, started: started? };
        if let Err(e) = within_limit {
            if let Some(listing) = hinted {
                store.call_not_made(listing, minute).await?;
            }
            return Err(e);
        }
        // A slug that is remembered may have passed to another listing since: drafts give theirs back.
        match &known.listing {
            Some(listing) if listing.id.to_string() == name.to_ascii_lowercase() || listing.slug == name => Ok(known),
            None if name.parse::<ListingId>().is_ok() => Ok(known),
            _ => known.find_by_slug(state, name, minute).await,
        }
    }

    /// A slug that this instance has not seen: two more reads, once.
    async fn find_by_slug(mut self, state: &State, slug: &str, minute: i64) -> Result<Self> {
        // What this instance remembered was another listing, or none: a call that was counted there is not made there.
        if let (Some(_), Some(other)) = (self.started.take(), self.listing.take()) {
            state.app.store.call_not_made(other.id, minute).await?;
        }
        let is_slug = slug.len() <= 100 && slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if is_slug && let Some(id) = state.app.store.listing_of_slug(slug).await? {
            let read = state.app.store.first_read(&self.agent.key, Some(id), None, minute).await?;
            let FirstRead { listing, traffic, breaker, .. } = read;
            if listing.is_some() {
                state.remembered.remember_slug(slug, id);
            }
            (self.listing, self.traffic, self.breaker) = (listing, traffic, breaker);
        }
        Ok(self)
    }

    /// The checks that need nothing more: what the caller may do, whether the listing exists for it, its headers.
    fn passage(
        self,
        state: &State,
        incoming: Result<Incoming>,
        now: OffsetDateTime,
        began: Instant,
    ) -> std::result::Result<(Passage<'_>, Option<Call>), (ApiError, Option<ListingId>)> {
        let listing_id = self.listing.as_ref().map(|listing| listing.id);
        let checked = || -> Result<(Listing, Incoming)> {
            self.agent.may(Scope::Write)?;
            self.agent.buys()?;
            let listing = self.listing.ok_or(Code::ListingNotFound)?;
            // A draft does not exist for anybody but its owner.
            if listing.status == ListingStatus::Draft && listing.seller.id != self.agent.profile {
                return Err(Code::ListingNotFound.into());
            }
            Ok((listing, incoming?))
        };
        match checked() {
            Ok((listing, incoming)) => {
                let Self { agent, call, traffic, breaker, .. } = self;
                Ok((Passage { state, agent, incoming, listing, traffic, breaker, now, began }, call))
            }
            Err(e) => Err((e, listing_id)),
        }
    }
}

impl Passage<'_> {
    /// A payment is named: it must be this buyer's, for this listing and body, and the key must not name another call.
    async fn with_payment_id(self, call: Option<Call>) -> Result {
        let call = call.filter(|call| call.buyer == self.agent.profile).ok_or(Code::PaymentNotFound)?;
        let bound_elsewhere = |what: &str| {
            ApiError::new(Code::PaymentBoundToAnotherRequest).detail("differs", what).detail("request_id", call.id.to_string())
        };
        if call.listing.id != self.listing_id() {
            return Err(bound_elsewhere("listing").detail("listing_id", call.listing.id.to_string()));
        }
        if self.incoming.json()?.sha256 != call.body_sha256 {
            return Err(bound_elsewhere("body"));
        }
        if let Some(key) = self.incoming.idempotency_key.clone()
            && call.idempotency_key.as_deref() != Some(key.as_str())
        {
            self.claim_name(&call, &key).await?;
        }
        self.proceed(call, Approach::Id).await
    }

    /// An unseen key becomes another name of the call.
    async fn claim_name(&self, call: &Call, key: &str) -> Result<()> {
        let named = super::names::name_of(call, 1);
        if self.state.app.store.name_call(call.buyer, key, &named).await? {
            Ok(())
        } else {
            Err(Code::IdempotencyKeyConflict.into())
        }
    }

    /// No payment is named: the names of the call decide whether it is a new one.
    async fn without_payment_id(self, started: Option<Traffic>) -> Result {
        // The listing was free when this instance saw it last.
        let started = if self.listing.is_paid() {
            self.state.remembered.forget_free(self.listing_id());
            self.not_started(started).await?;
            None
        } else {
            started
        };
        if self.is_probe() {
            self.check_state()?;
            return Err(self.probe());
        }
        let free = !self.listing.is_paid();
        if free {
            self.state.remembered.remember_free(self.listing_id());
        }
        // A free call without a key has no names, unless a quote may be open from the time when it had a price.
        if free && self.incoming.idempotency_key.is_none() && !self.listing.was_per_call {
            return Box::pin(self.free_call(started, None, 1)).await;
        }
        if let Err(e) = self.incoming.json() {
            self.not_started(started).await?;
            self.check_state()?;
            return Err(e);
        }
        self.by_its_names(started).await
    }

    /// Takes back the count of a call that does not reach the seller.
    pub(crate) async fn not_started(&self, started: Option<Traffic>) -> Result<()> {
        if started.is_some() { self.not_made().await } else { Ok(()) }
    }

    /// Takes back that this call was counted at its listing.
    pub(crate) async fn not_made(&self) -> Result<()> {
        self.state.app.store.call_not_made(self.listing_id(), self.minute()).await?;
        Ok(())
    }
}
