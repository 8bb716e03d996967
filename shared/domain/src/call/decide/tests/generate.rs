//! How a random world comes about.

use super::asking::asking;
use super::calls::{MINUTE, NOW, another_buyer, another_listing, call_id, closing, overdue, quoted, settled, timed_out};
use super::random::Random;
use super::world::{World, record_of, the_body};
use crate::call::view::{BodyView, ListingClosed, RequestedCurrency, ResolvedBy, SchemaCheck, TrafficRefusal};
use crate::call::{Call, CallState, IdempotencyKey, OpenQuotesForBody, PaymentState};
use crate::currency::OriginCurrency;

/// A client's key in every world.
const KEY: &str = "k";

impl World {
    pub(super) fn of_seed(seed: u64) -> Self {
        let mut world = Self {
            random: Random::seeded(seed),
            view: asking().view,
            stored: Vec::new(),
            records: Vec::new(),
            for_body: OpenQuotesForBody::default(),
            facts: Vec::new(),
            schema: SchemaCheck::Fits,
            races: 0,
            names: None,
            last_id: 0,
        };
        world.races = if world.random.percent(50) { 1 + world.random.below(3) } else { 0 };
        if world.random.percent(10) {
            world.schema = SchemaCheck::Fails;
        }
        world.make_listing();
        world.make_calls_by_body();
        world.make_calls_by_key();
        world.make_calls_by_payment();
        world.make_request();
        world
    }

    fn make_listing(&mut self) {
        let listing = &mut self.view.listing;
        listing.is_paid = self.random.percent(75);
        if self.random.percent(20) {
            let why = self.random.pick(&[ListingClosed::NotActive, ListingClosed::NoEndpoint, ListingClosed::Paused]);
            listing.closed = Some(why);
            listing.endpoint_active = why == ListingClosed::NotActive && self.random.percent(70);
        }
        if self.random.percent(10) {
            listing.traffic = Some(self.random.pick(&[TrafficRefusal::RateLimited, TrafficRefusal::Busy { in_flight: 9 }]));
        }
        if self.random.percent(10) {
            listing.breaker_retry_after = Some(30);
        }
    }

    /// Quotes without a key: a chain for each of some currencies, whose last one the body names.
    fn make_calls_by_body(&mut self) {
        for currency in OriginCurrency::ALL {
            if self.random.percent(35) {
                let last = self.make_chain(currency, None);
                self.for_body = self.for_body.clone().with(currency, last.key());
            }
        }
    }

    /// A chain whose last one the client's key names. The key may also have come later, by a payment id.
    fn make_calls_by_key(&mut self) {
        let name = IdempotencyKey::Client(KEY.into());
        match self.random.below(6) {
            0..=2 => {
                let currency = self.random.pick(&OriginCurrency::ALL);
                let last = self.make_chain(currency, Some(KEY));
                self.name(name, &last);
            }
            3 if !self.stored.is_empty() => {
                let any = self.random.pick(&self.stored);
                self.name(name, &any);
            }
            4 => {
                let call = Call { idempotency_key: Some(KEY.into()), ..self.new_call(false) };
                self.stored.push(call.clone());
                self.name(name, &call);
            }
            _ => {}
        }
        if let Some((_, record)) = self.records.last_mut() {
            match self.random.below(40) {
                0 => record.listing = another_listing(),
                1 => record.body_sha256 = "another body".into(),
                2 => record.call = Self::unknown_key(),
                _ => {}
            }
        }
    }

    /// A free call that stands in for a payment, from the time when the listing became free.
    fn make_calls_by_payment(&mut self) {
        if self.stored.is_empty() || !self.random.percent(20) {
            return;
        }
        let payment = self.random.pick(&self.stored).key();
        let call = self.new_call(false);
        self.stored.push(call.clone());
        self.records.push((IdempotencyKey::Payment(payment), record_of(&call)));
    }

    fn make_chain(&mut self, currency: OriginCurrency, name: Option<&str>) -> Call {
        let length = 1 + self.random.below(4);
        let mut last: Option<Call> = None;
        for n in 0..length {
            let is_last = n + 1 == length;
            let mut call = self.new_call(true).in_currency(currency);
            // What was replaced has expired, as a rule.
            if !is_last && self.random.percent(70) {
                let how = self.random.pick(&[PaymentState::Waiting, PaymentState::Failed, PaymentState::Refunded]);
                call = call.expired(how, NOW - 1);
            }
            call.idempotency_key = name.map(str::to_owned);
            call.created_ms = NOW - i64::from(length - n) * MINUTE;
            call.replaces = last.as_ref().filter(|_| self.random.percent(90)).map(Call::key);
            if self.random.percent(2) {
                call.buyer = another_buyer();
            }
            self.stored.push(call.clone());
            last = Some(call);
        }
        last.expect("a chain of one at least")
    }

    /// A call in a random state.
    pub(super) fn new_call(&mut self, is_paid: bool) -> Call {
        self.last_id += 1;
        let id = format!("p{}", self.last_id);
        let how = self.random.pick(&[PaymentState::Waiting, PaymentState::Failed, PaymentState::Refunded]);
        let choice = if is_paid { self.random.below(20) } else { 11 + self.random.below(9) };
        let call = match choice {
            0..=5 => quoted(&id),
            6 => closing(&id),
            7 => timed_out(&id),
            8 => quoted(&id).deposit_seen(NOW - 1),
            9..=11 if is_paid => quoted(&id).expired(how, NOW - 1),
            9..=14 => settled(&id).attempted(self.random.below(3)),
            15 => overdue(&id),
            16 => settled(&id).begun("attempt".into(), NOW + MINUTE, 2, NOW - 1),
            17 => settled(&id).begun("attempt".into(), NOW - 1, 2, NOW - MINUTE),
            18 => Call { state: CallState::Delivered { response: None }, ..settled(&id) },
            _ => settled(&id).closed(NOW - 1),
        };
        let call = Call { id: call_id(self.last_id), ..call };
        if is_paid { call } else { Call { payment: None, settled_ms: None, ..call } }
    }

    fn make_request(&mut self) {
        let any_currency = RequestedCurrency::Known(self.random.pick(&OriginCurrency::ALL));
        let (absent, other) = (RequestedCurrency::Absent, RequestedCurrency::Unsupported);
        let request = &mut self.view.request;
        request.currency = self.random.pick(&[absent, absent, absent, any_currency, any_currency, other]);
        request.body = match self.random.below(40) {
            0 => BodyView::Empty,
            1 => BodyView::Invalid,
            _ => the_body(),
        };
        request.resolved_by = self.random.pick(&[ResolvedBy::Body, ResolvedBy::IdempotencyKey, ResolvedBy::PaymentId]);
        let sends_key = match request.resolved_by {
            ResolvedBy::Body => false,
            ResolvedBy::IdempotencyKey => true,
            ResolvedBy::PaymentId => self.random.percent(25),
        };
        request.idempotency_key = sends_key.then(|| KEY.to_owned());
        if request.resolved_by != ResolvedBy::PaymentId {
            self.resolve();
            return;
        }
        let paid: Vec<_> = self.stored.iter().filter(|call| call.payment.is_some()).map(Call::key).collect();
        let payment = if paid.is_empty() || self.random.percent(3) { Self::unknown_key() } else { self.random.pick(&paid) };
        self.resolve_payment_id(&payment);
    }
}
