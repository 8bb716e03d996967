//! Free calls: nothing to pay, and with an Idempotency-Key still delivered once.

use std::sync::Arc;
use std::time::Duration;

use crochet::endpoint_secrets::EndpointSecret;
use crochet::http::{ApiError, Code, Result};
use crochet::store::call::{Kept, Name, NamedCall, fresh_writer};
use crochet::store::counter::Traffic;
use crochet_domain::call::{Call, CalledListing, State};
use crochet_domain::ids::CallId;
use crochet_domain::listing::Endpoint;
use crochet_domain::money::{Micros, PriceSplit};
use crochet_domain::timestamp::unix_ms;

use super::incoming::JsonBody;
use super::names::is_internal_name;
use super::{LEAST_FOR_FREE, Passage};

/// A free call that may be made.
struct AdmittedFree {
    body: JsonBody,
    endpoint: Endpoint,
    /// What the seller is called with.
    secret: Arc<EndpointSecret>,
}

impl Passage<'_> {
    /// Forwards a free call. `started` is its count at the listing, where that is taken already; `version` is the one at
    /// which its Idempotency-Key will name it.
    pub(crate) async fn free_call(self, started: Option<Traffic>, key: Option<String>, version: u64) -> Result {
        let admitted = match self.admit_free(started).await {
            Ok(admitted) => admitted,
            Err(e) => {
                self.not_started(started).await?;
                return Err(e);
            }
        };
        let started = match started {
            Some(started) => started,
            None => self.state.app.store.call_starts(self.listing_id(), self.minute()).await?,
        };
        // Again, by the count that holds this call: of parallel calls no more pass than may.
        if let Err(e) = self.check_traffic(Some(started)) {
            self.not_made().await?;
            return Err(e);
        }
        let AdmittedFree { body, endpoint, secret } = admitted;
        let passed = match self.pass_breaker(&endpoint).await {
            Ok(Ok(passed)) => passed,
            Ok(Err(wait)) => {
                self.not_made().await?;
                return Err(wait.for_a_new_call());
            }
            Err(e) => {
                self.not_made().await?;
                return Err(e);
            }
        };
        let call = self.new_free_call(&body, key.clone());
        let Some(key) = key else { return self.forward_free(call, body, &secret, &passed).await };
        let named = NamedCall {
            home: call.home(),
            listing: call.listing.id,
            body_sha256: call.body_sha256.clone(),
            currency: None,
            version,
        };
        match self.state.app.store.keep_call(&call, Name::Key { key, named }).await {
            Ok(Kept::Done) => self.forward_claimed(call, body, &secret, &passed).await,
            Ok(Kept::PaymentIdKnown) => Err(ApiError::internal("a fresh call id exists already").alarm()),
            Ok(Kept::Raced) => {
                self.release_probe(&passed).await;
                self.not_made().await?;
                // Boxed: the name that was lost leads to a call, and a call may lead here.
                Box::pin(self.by_its_names(None)).await
            }
            Err(e) => {
                self.release_probe(&passed).await;
                self.not_made().await?;
                Err(e.into())
            }
        }
    }

    /// Everything that has to be right before a call counts as one, and what the seller is called with.
    async fn admit_free(&self, started: Option<Traffic>) -> Result<AdmittedFree> {
        self.check_state()?;
        let body = self.check_body()?;
        self.check_breaker()?;
        self.check_traffic(started)?;
        let endpoint = self.listing.endpoint.clone().ok_or(Code::ListingHasNoGateway)?;
        let secret = self.secret(&endpoint).await?;
        // Nothing is written yet that a later try would meet.
        let least = Duration::from_millis(endpoint.timeout_ms.into()).min(LEAST_FOR_FREE);
        if !self.time_for_seller(least) {
            return Err(ApiError::new(Code::ServiceUnavailable).retry_after(1).cause("too little time is left for the seller"));
        }
        Ok(AdmittedFree { body, endpoint, secret })
    }

    fn new_free_call(&self, body: &JsonBody, key: Option<String>) -> Call {
        let now_ms = unix_ms(self.now);
        let rate = self.state.app.config.fee_rate;
        let call = Call {
            id: CallId::generate(self.now),
            buyer: self.agent.profile,
            seller: self.listing.seller.id,
            listing: self.called_listing(),
            body_sha256: body.sha256.clone(),
            idempotency_key: key.filter(|key| !is_internal_name(key)),
            split: PriceSplit::of(Micros::ZERO, rate),
            payment: None,
            replaces: None,
            state: State::Settled,
            attempts: Vec::new(),
            settled_ms: None,
            created_ms: now_ms,
            updated_ms: now_ms,
            version: 1,
            writer: fresh_writer(),
        };
        call.begun(fresh_writer(), self.lease_until_ms(), body.bytes.len() as u64, now_ms)
    }

    /// The listing, as it is called now.
    pub(crate) fn called_listing(&self) -> CalledListing {
        CalledListing { id: self.listing.id, slug: self.listing.slug.clone(), name: self.listing.name.clone() }
    }
}
