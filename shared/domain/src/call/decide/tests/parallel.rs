//! Parallel requests: now and then one of them is first to move a call, or to make it.

use super::calls::NOW;
use super::world::{Next, World};
use crate::call::step::NewCall;
use crate::call::view::{Race, ResolvedBy};
use crate::call::{Call, CallKey, CallState, IdempotencyKey, PaymentState};

impl World {
    pub(super) fn superseded(&mut self, key: &CallKey, found: Call) {
        self.store(found.clone());
        self.view.put(key, Some(found));
        self.view.raced = Some(Race::Moved);
    }

    fn is_first_another(&mut self) -> bool {
        let another = self.races > 0 && self.random.percent(25);
        self.races -= u32::from(another);
        another
    }

    /// Where a parallel request has moved this call, if there is one.
    pub(super) fn moved_by_another(&mut self, key: &CallKey) -> Option<Call> {
        if !self.is_first_another() {
            return None;
        }
        let call = self.call(key);
        let delivering = |call: Call| call.settled(NOW).begun("another".into(), NOW + 1, 2, NOW);
        let choice = self.random.below(6);
        let moved = match (&call.state, choice) {
            (CallState::Quoted | CallState::Expired, 0) => call.deposit_seen(NOW),
            (CallState::Quoted | CallState::Pending, 1) => call.expired(PaymentState::Failed, NOW),
            (_, 2) => delivering(call),
            (_, 3) => Call { state: CallState::Delivered { response: None }, ..delivering(call) },
            (_, 4) => call.settled(NOW).closed(NOW),
            _ => call.settled(NOW),
        };
        Some(moved)
    }

    /// Makes a call, unless a parallel request was first to use its names.
    pub(super) fn create(&mut self, new: &NewCall) -> Next {
        let has_names = self.view.listing.is_paid || new.key.is_some();
        if !has_names || !self.is_first_another() {
            return Next::Replied;
        }
        // The other request's transaction may still be on its way.
        if self.random.percent(75) {
            self.create_by_another(new);
        }
        if self.view.request.resolved_by == ResolvedBy::PaymentId {
            self.names = None;
            self.view.successors.clear();
        } else {
            self.resolve();
            let named = self.view.record.as_ref().map(|record| record.call.clone());
            for key in named.into_iter().chain(self.view.candidates.clone()) {
                self.assume_unpaid(&key);
            }
        }
        self.view.raced = Some(Race::Created);
        Next::GoOn
    }

    fn create_by_another(&mut self, new: &NewCall) {
        let mut call = self.new_call(self.view.listing.is_paid);
        call.replaces.clone_from(&new.replaces);
        call.idempotency_key = new.key.as_ref().and_then(IdempotencyKey::client).map(str::to_owned);
        if let (Some(payment), Some(currency)) = (&mut call.payment, new.currency.or(self.view.request.default_currency)) {
            payment.origin_currency = currency;
        }
        match (&new.key, call.payment.as_ref().map(|payment| payment.origin_currency)) {
            (Some(name), _) => self.name(name.clone(), &call),
            (None, Some(currency)) => self.for_body = self.for_body.clone().with(currency, call.key()),
            (None, None) => {}
        }
        self.store(call);
    }
}
