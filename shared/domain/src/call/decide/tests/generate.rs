//! How a random world comes about.

use super::asking::asking;
use super::calls::{
    BODY, ENDPOINT, HOUR, MINUTE, NOW, another_buyer, another_listing, call_id, closing, key, overdue, quoted, settled, timed_out,
};
use super::random::Random;
use super::world::World;
use crate::call::record::{IdempotencyRecord, RecordedCall};
use crate::call::view::{BodyView, ListingClosed, RecordView, RequestedCurrency, ResolvedBy, SchemaCheck, TrafficRefusal};
use crate::call::{Call, CallKey, CallName, CallState, PaymentState};
use crate::currency::OriginCurrency;
use crate::unknown::Unknown;

/// A client's key in every world.
const KEY: &str = "k";
const ENDED_UNPAID: [PaymentState; 3] = [PaymentState::Waiting, PaymentState::Failed, PaymentState::Refunded];

impl World {
    pub(super) fn of_seed(seed: u64) -> Self {
        let mut world = Self {
            random: Random::seeded(seed),
            view: asking().view,
            stored: Vec::new(),
            records: Vec::new(),
            pointers: Vec::new(),
            facts: Vec::new(),
            schema: SchemaCheck::Fits,
            had_price: true,
            is_unpaid: false,
            races: 0,
            last_id: 0,
        };
        world.races = if world.random.percent(50) { 1 + world.random.below(3) } else { 0 };
        world.is_unpaid = world.random.percent(40);
        if world.random.percent(10) {
            world.schema = SchemaCheck::Fails;
        }
        world.make_listing();
        if world.random.percent(75) {
            world.make_calls_by_body();
        }
        world.make_calls_by_key();
        world.make_request();
        world
    }

    /// Leaves an active paid listing that nobody has called.
    pub(super) fn forget_everything(&mut self) {
        self.view = asking().view;
        (self.stored, self.records, self.pointers, self.facts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        (self.schema, self.races) = (SchemaCheck::Fits, 0);
    }

    fn make_listing(&mut self) {
        let listing = &mut self.view.listing;
        listing.is_paid = self.random.percent(75);
        self.had_price = listing.is_paid || self.random.percent(80);
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
        listing.endpoint_mark = self.random.pick(&[Some(ENDPOINT.to_owned()), Some("another".into()), None]);
    }

    /// Quotes without a key: in each round a chain for each of some currencies. Every round but the last has ended.
    fn make_calls_by_body(&mut self) {
        let name = CallName::Body { listing: self.view.listing.id, sha256: BODY.into() };
        let rounds = 1 + self.random.below(3);
        for round in 0..rounds {
            let is_last = round + 1 == rounds;
            for currency in OriginCurrency::ALL {
                if self.random.percent(35) {
                    self.make_chain(&name, currency, round);
                }
            }
            if !is_last {
                let is_paid = self.random.percent(80);
                let ended = self.new_call(is_paid).in_round(round);
                let ended = if self.random.percent(75) { ended.delivered_at(NOW - HOUR) } else { ended.closed(NOW - HOUR) };
                self.add(&name, ended);
            }
        }
    }

    /// A chain under the client's key, or under another name that the key points to.
    fn make_calls_by_key(&mut self) {
        let name = CallName::Key(KEY.into());
        match self.random.below(6) {
            0..=2 => {
                let currency = self.random.pick(&OriginCurrency::ALL);
                self.make_chain(&name, currency, 0);
            }
            3 if !self.stored.is_empty() => {
                let named = self.random.pick(&self.stored);
                if named.buyer == self.view.request.buyer {
                    self.pointers.push((KEY.into(), named.name(), named.key()));
                }
            }
            4 => {
                let call = self.new_call(false);
                self.add(&name, call);
            }
            _ => {}
        }
        let of_key = |(known, _): &&mut (CallName, IdempotencyRecord)| *known == name;
        if let Some((_, record)) = self.records.iter_mut().find(of_key) {
            let is_called_by_key = |call: &&mut Call| call.idempotency_key.is_some();
            match self.random.below(20) {
                0 => record.listing = another_listing(),
                1 => record.body_sha256 = "another body".into(),
                _ => {}
            }
            for call in self.stored.iter_mut().filter(is_called_by_key) {
                call.listing.id = record.listing;
                call.body_sha256.clone_from(&record.body_sha256);
            }
        }
    }

    /// Quotes that replace one another. As a rule, all but the last have expired.
    fn make_chain(&mut self, name: &CallName, currency: OriginCurrency, round: u32) {
        let length = if self.random.percent(3) { 18 } else { 1 + self.random.below(4) };
        for n in 0..length {
            let mut call = self.new_call(true).in_currency(currency).in_round(round);
            let is_open = matches!(call.state, CallState::Quoted | CallState::Pending);
            if n + 1 < length && (is_open || self.random.percent(70)) {
                let how = self.random.pick(&ENDED_UNPAID);
                call = Call { settled_ms: None, attempts: Vec::new(), ..call }.expired(how, NOW - 1);
            }
            if self.random.percent(2) {
                call.buyer = another_buyer();
            }
            self.add(name, call);
        }
        if self.random.percent(4) {
            self.last_id += 1;
            let added_ms = self.random.pick(&[NOW - 1, NOW - MINUTE]);
            let lost = RecordedCall { key: key(&format!("p{}", self.last_id)), round, added_ms, unknown: Unknown::default() };
            if let Some((_, record)) = self.records.iter_mut().find(|(known, _)| known == name) {
                record.calls.insert(0, lost);
            }
        }
    }

    /// Stores a call and lists it in its record, which may have forgotten an expired one since.
    fn add(&mut self, name: &CallName, call: Call) {
        let call = Call { idempotency_key: name.key().map(str::to_owned), ..call };
        let mut record = self.record(name).cloned().unwrap_or_else(|| IdempotencyRecord::empty(&call));
        record = record.with(&call, &[&call], NOW - MINUTE);
        if call.state == CallState::Expired && self.random.percent(5) {
            record.calls.remove(0);
        }
        self.put_record(name, record);
        self.store(call);
    }

    /// A call in a random state.
    pub(super) fn new_call(&mut self, is_paid: bool) -> Call {
        self.last_id += 1;
        let id = format!("p{}", self.last_id);
        let how = self.random.pick(&ENDED_UNPAID);
        let choice = match (is_paid, self.is_unpaid) {
            (true, true) => self.random.pick(&[0, 1, 2, 3, 5, 6, 7, 10, 11]),
            (true, false) => self.random.below(22),
            (false, _) => 11 + self.random.below(11),
        };
        let call = match choice {
            0..=4 => quoted(&id),
            5 => closing(&id),
            6 => closing(&id).whose_ttl_ends(NOW),
            7 => timed_out(&id),
            8 => quoted(&id).deposit_seen(NOW - 1),
            9 => closing(&id).whose_ttl_ends(NOW - 1).deposit_seen(NOW - 1),
            10 if is_paid => quoted(&id).whose_ttl_ends(NOW - 2 * HOUR).expired(how, NOW - 1),
            11 | 12 if is_paid => quoted(&id).expired(how, NOW - 1),
            10..=14 => settled(&id).attempted(self.random.below(3)),
            15 => quoted(&id).settled_at(NOW - HOUR).attempted_at(self.random.below(20), NOW - MINUTE),
            16 => overdue(&id),
            17 => settled(&id).begun("attempt".into(), NOW + MINUTE, 2, NOW - 1),
            18 => settled(&id).begun("attempt".into(), NOW - 1, 2, NOW - MINUTE),
            19 => Call { state: CallState::Delivered { response: None }, ..settled(&id) },
            20 => settled(&id).delivered_at(NOW - HOUR),
            _ => settled(&id).closed(NOW - 1),
        };
        let call = Call { id: call_id(self.last_id), ..call };
        if is_paid { call } else { Call { payment: None, settled_ms: None, ..call } }
    }

    /// A request to this world.
    pub(super) fn make_request(&mut self) {
        let fresh = asking().view;
        (self.view.request, self.view.record, self.view.named) = (fresh.request, RecordView::Absent, None);
        (self.view.calls, self.view.obstacle, self.view.key_added, self.view.raced) = (Vec::new(), None, None, None);
        let any_currency = RequestedCurrency::Known(self.random.pick(&OriginCurrency::ALL));
        let (absent, other) = (RequestedCurrency::Absent, RequestedCurrency::Unsupported);
        let request = &mut self.view.request;
        request.currency = self.random.pick(&[absent, absent, absent, any_currency, any_currency, other]);
        request.body = match self.random.below(40) {
            0 => BodyView::Empty,
            1 => BodyView::Invalid,
            _ => BodyView::Json { sha256: BODY.into(), schema: SchemaCheck::Unchecked },
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
        let paid: Vec<CallKey> = self.stored.iter().filter(|call| call.payment.is_some()).map(Call::key).collect();
        let is_unknown = paid.is_empty() || self.random.percent(3);
        let payment = if is_unknown { key("unknown") } else { self.random.pick(&paid) };
        self.resolve_payment_id(&payment);
    }
}
