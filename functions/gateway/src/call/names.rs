//! The names of a call: an Idempotency-Key, or listing and body. Whatever they name is gone on with before anything is quoted.

use crochet::domain::call::{Call, State};
use crochet::domain::currency::OriginCurrency;
use crochet::http::{ApiError, Code, Result};
use crochet::store::call::{NamedCall, SecondRead};
use crochet::store::counter::Traffic;

use super::Passage;
use super::incoming::JsonBody;
use super::offer::{Occasion, offer};
use super::terms::default_currency;

/// What an Idempotency-Key is bound to when it names this call.
pub(crate) fn name_of(call: &Call, version: u64) -> NamedCall {
    NamedCall {
        home: call.home(),
        listing: call.listing.id,
        body_sha256: call.body_sha256.clone(),
        currency: call.payment.as_ref().map(|payment| payment.origin_currency),
        version,
    }
}

impl Passage<'_> {
    /// No payment is named: an Idempotency-Key or the body may name a call that exists.
    pub(crate) async fn by_its_names(self, started: Option<Traffic>) -> Result {
        let body = self.incoming.json()?.clone();
        let read = self.read_names(&body).await?;
        if let Some(named) = &read.named {
            self.not_started(started).await?;
            self.check_key_fits(named, &body)?;
            return match self.state.app.store.calls(std::slice::from_ref(&named.home)).await?.pop() {
                Some(call) => self.proceed(call, false).await,
                None => Err(ApiError::internal("an Idempotency-Key names a call that is not there").alarm()),
            };
        }
        if let Some(call) = self.anonymous_candidate(&read).await? {
            self.not_started(started).await?;
            return self.proceed(call, true).await;
        }
        if self.listing.is_paid() {
            self.make_offer(read, Occasion::First, None).await
        } else {
            let key = self.incoming.idempotency_key.clone();
            self.free_call(started, key).await
        }
    }

    async fn read_names(&self, body: &JsonBody) -> Result<SecondRead> {
        let key = self.incoming.idempotency_key.as_deref();
        let anonymous = if key.is_none() { Some((self.listing_id(), body.sha256.as_str())) } else { None };
        Ok(self.state.app.store.second_read(self.agent.profile, Some(self.listing.seller.id), key, anonymous).await?)
    }

    pub(super) fn check_key_fits(&self, named: &NamedCall, body: &JsonBody) -> Result<()> {
        let reused = |what: &str| ApiError::new(Code::IdempotencyKeyReused).detail("differs", what);
        if named.listing != self.listing_id() {
            return Err(reused("listing"));
        }
        if named.body_sha256 != body.sha256 {
            return Err(reused("body"));
        }
        match (named.currency, self.incoming.currency()?) {
            (Some(bound), Some(asked)) if bound != asked => Err(reused("currency")),
            _ => Ok(()),
        }
    }

    /// The quote that a request without key and id goes on with: the one of its currency; where no currency is asked for,
    /// another open one before a second one is made, so that nobody pays twice.
    async fn anonymous_candidate(&self, read: &SecondRead) -> Result<Option<Call>> {
        let Some(quotes) = &read.anonymous else { return Ok(None) };
        let asked = self.incoming.currency()?;
        let preferred = asked.or_else(|| default_currency(read.buyer.as_ref()));
        let mut homes: Vec<String> = quotes
            .quotes
            .iter()
            .filter(|(currency, _)| asked.is_none() || Some(*currency) == asked)
            .map(|(_, home)| home.clone())
            .collect();
        let first = quotes.quotes.iter().find(|(currency, _)| Some(*currency) == preferred).map(|(_, home)| home);
        homes.sort_by_key(|home| Some(home) != first);
        let calls = self.state.app.store.calls(&homes).await?;
        let open =
            calls.iter().position(|call| !matches!(call.state, State::Delivered { .. } | State::Undelivered | State::Expired));
        Ok(match open {
            Some(open) => calls.into_iter().nth(open),
            // Only finished ones: the newest tells what the new quote comes after.
            None => calls.into_iter().max_by_key(|call| call.created_ms),
        })
    }

    /// The same body after its call has ended, without key and id: a new call.
    pub(crate) async fn start_anew(self, occasion: Occasion) -> Result {
        if !self.listing.is_paid() {
            return self.free_call(None, None).await;
        }
        let body = self.incoming.json()?.clone();
        let read = self.read_names(&body).await?;
        self.make_offer(read, occasion, None).await
    }

    /// A quote came to nothing: the next one takes its names over. Where that has happened already, the next one is shown.
    pub(crate) async fn requote(self, before: Call, occasion: Occasion) -> Result {
        if !self.listing.is_paid() {
            return self.free_call(None, None).await;
        }
        let body = self.incoming.json()?.clone();
        let key = self.incoming.idempotency_key.clone().or_else(|| before.idempotency_key.clone());
        let anonymous = if key.is_none() { Some((self.listing_id(), body.sha256.as_str())) } else { None };
        let store = &self.state.app.store;
        let read = store.second_read(self.agent.profile, Some(self.listing.seller.id), key.as_deref(), anonymous).await?;
        let currency = before.payment.as_ref().map(|payment| payment.origin_currency);
        let successor = match (&read.named, &read.anonymous) {
            (Some(named), _) => Some(named.home.clone()),
            (None, Some(quotes)) => quotes.quotes.iter().find(|(c, _)| Some(*c) == currency).map(|(_, home)| home.clone()),
            (None, None) => None,
        };
        if let Some(home) = successor.filter(|home| *home != before.home())
            && let Some(call) = store.calls(std::slice::from_ref(&home)).await?.pop()
            && let Some(payment) = &call.payment
            && call.state == State::Quoted
            && self.now_ms() < payment.expires_ms
        {
            self.check_state()?;
            return Err(offer(&call, &occasion));
        }
        self.make_offer_as(read, occasion, currency, key).await
    }

    async fn make_offer(self, read: SecondRead, occasion: Occasion, currency: Option<OriginCurrency>) -> Result {
        let key = self.incoming.idempotency_key.clone();
        self.make_offer_as(read, occasion, currency, key).await
    }
}
