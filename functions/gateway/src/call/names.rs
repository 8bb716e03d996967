//! The names of a call: an Idempotency-Key, or listing and body. Whatever they name is gone on with before anything is quoted.

use crochet::http::{ApiError, Code, Result};
use crochet::payments::ProviderStatus;
use crochet::store::call::NamedCall;
use crochet::store::counter::Traffic;
use crochet::store::passage::SecondRead;
use crochet_domain::call::{Call, State};
use futures::future::try_join_all;

use super::Passage;
use super::incoming::JsonBody;
use super::offer::Occasion;
use super::payment::Approach;
use super::quote::Wanted;
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
                Some(call) => self.proceed(call, Approach::Key).await,
                None => Err(ApiError::internal("an Idempotency-Key names a call that is not there").alarm()),
            };
        }
        if let Some(call) = self.anonymous_candidate(&read).await? {
            self.not_started(started).await?;
            return self.proceed(call, Approach::Body).await;
        }
        if self.listing.is_paid() {
            self.make_offer(read, Occasion::First).await
        } else {
            let key = self.incoming.idempotency_key.clone();
            Box::pin(self.free_call(started, key, 1)).await
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

    /// The call that a request without key and id goes on with: one that is paid or on its way; else the open quote of its
    /// currency. Where no currency is asked for and several quotes are open, the provider is asked about all of them first, so
    /// that nobody pays twice.
    async fn anonymous_candidate(&self, read: &SecondRead) -> Result<Option<Call>> {
        let Some(quotes) = &read.anonymous else { return Ok(None) };
        let asked = self.incoming.currency()?;
        let preferred = asked.or_else(|| default_currency(read.buyer.as_ref()));
        let fitting = quotes.quotes.iter().filter(|(currency, _)| asked.is_none() || Some(*currency) == asked);
        let homes: Vec<String> = fitting.map(|(_, home)| home.clone()).collect();
        let calls = self.state.app.store.calls(&homes).await?;
        let is_over = |call: &Call| matches!(call.state, State::Delivered { .. } | State::Undelivered | State::Expired);
        let (over, mut open): (Vec<Call>, Vec<Call>) = calls.into_iter().partition(is_over);
        if open.is_empty() {
            // Only finished ones: the newest tells what the new quote comes after.
            return Ok(over.into_iter().max_by_key(|call| call.created_ms));
        }
        if let Some(paid) = open.iter().position(|call| call.state != State::Quoted) {
            return Ok(Some(open.swap_remove(paid)));
        }
        if open.len() > 1
            && let Some(paid) = self.first_paid(&open).await?
        {
            return Ok(Some(open.swap_remove(paid)));
        }
        let currency = |call: &Call| call.payment.as_ref().map(|payment| payment.origin_currency);
        let first = open.iter().position(|call| currency(call) == preferred).unwrap_or(0);
        Ok(Some(open.swap_remove(first)))
    }

    /// The first of these quotes for which the provider has seen a deposit.
    async fn first_paid(&self, open: &[Call]) -> Result<Option<usize>> {
        let ask = |call: &Call| {
            let id = call.payment.as_ref().map(|payment| payment.id.clone()).unwrap_or_default();
            async move { self.state.provider.payment(&id).await }
        };
        let asked = try_join_all(open.iter().map(ask)).await;
        let asked = asked.map_err(|e| ApiError::new(Code::PaymentProviderUnavailable).retry_after(2).cause(e))?;
        Ok(asked.iter().position(|payment| matches!(payment.status, ProviderStatus::Success | ProviderStatus::Pending)))
    }

    /// The same body after its call has ended, without key and id: a new call.
    pub(crate) async fn start_anew(self, occasion: Occasion) -> Result {
        if !self.listing.is_paid() {
            return Box::pin(self.free_call(None, None, 1)).await;
        }
        let body = self.incoming.json()?.clone();
        let read = self.read_names(&body).await?;
        self.make_offer(read, occasion).await
    }

    /// A quote came to nothing: the next call takes its names over. Where that has happened already, that one is gone on with.
    pub(crate) async fn requote(self, before: Call, approach: Approach, occasion: Occasion) -> Result {
        let body = self.incoming.json()?.clone();
        let key = self.incoming.idempotency_key.clone().or_else(|| before.idempotency_key.clone());
        // A listing that is free by now: the new call has no quote to be found by, so the payment that was sent names it. A
        // request that names nothing is a new call each time.
        let names_payment = approach != Approach::Body && !self.listing.is_paid();
        let payment = before.payment.as_ref().filter(|_| names_payment);
        let key = key.or_else(|| payment.map(|payment| internal_name(&payment.id)));
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
            && call.state != State::Expired
        {
            return Box::pin(self.proceed(call, Approach::Instead(occasion))).await;
        }
        if !self.listing.is_paid() {
            let version = read.named.map_or(1, |named| named.version + 1);
            return Box::pin(self.free_call(None, key, version)).await;
        }
        Box::pin(self.make_offer_as(read, occasion, Wanted { currency, key, replaces: Some(before.home()) })).await
    }

    async fn make_offer(self, read: SecondRead, occasion: Occasion) -> Result {
        let key = self.incoming.idempotency_key.clone();
        Box::pin(self.make_offer_as(read, occasion, Wanted { currency: None, key, replaces: None })).await
    }
}

/// What no caller can send as an Idempotency-Key: a name of our own for a call that replaces a payment.
fn internal_name(payment_id: &str) -> String {
    format!("\u{1}{payment_id}")
}

/// Whether a name is one of our own.
pub(crate) fn is_internal_name(key: &str) -> bool {
    key.starts_with('\u{1}')
}
