//! Random worlds: what the store, the provider and parallel requests may hold, and how a request goes on in them.
//!
//! The interpreter carries out each step as the gateway does. Everything follows from the seed.

use super::asking::asking;
use super::calls::{BODY, NOW, key};
use super::random::Random;
use crate::call::decide::{decide, replacement_key};
use crate::call::step::{PaymentMove, Step};
use crate::call::view::{BodyView, Fact, Obstacle, Payout, Race, SchemaCheck, View};
use crate::call::{Call, CallKey, CallState, IdempotencyKey, IdempotencyRecord, OpenQuotesForBody, PaymentState};

/// What the gateway reads under a call's name.
#[derive(Clone)]
pub(super) struct Names {
    record: Option<IdempotencyRecord>,
    for_body: Option<OpenQuotesForBody>,
}

/// Everything outside of the request's own view.
pub(super) struct World {
    pub(super) random: Random,
    pub(super) view: View,
    pub(super) stored: Vec<Call>,
    pub(super) records: Vec<(IdempotencyKey, IdempotencyRecord)>,
    pub(super) for_body: OpenQuotesForBody,
    pub(super) facts: Vec<(CallKey, Fact)>,
    pub(super) schema: SchemaCheck,
    /// How often a parallel request may still be first.
    pub(super) races: u32,
    pub(super) names: Option<Names>,
    pub(super) last_id: u32,
}

/// What a step leads to.
pub(super) enum Next {
    GoOn,
    Replied,
}

impl World {
    pub(super) fn decide(&self) -> Step {
        decide(&self.view)
    }

    pub(super) fn stored(&self, key: &CallKey) -> Option<&Call> {
        self.stored.iter().find(|call| call.key() == *key)
    }

    pub(super) fn store(&mut self, call: Call) {
        self.stored.retain(|other| other.key() != call.key());
        self.stored.push(call);
    }

    /// Reads what the request names.
    pub(super) fn resolve(&mut self) {
        let fresh = asking().view;
        let view = &mut self.view;
        (view.record, view.candidates, view.calls, view.successors) = (None, Vec::new(), Vec::new(), Vec::new());
        (view.obstacle, view.key_added, view.raced) = (None, None, None);
        view.request.default_currency = None;
        self.names = None;
        let BodyView::Json { schema, .. } = &mut view.request.body else { return };
        *schema = SchemaCheck::Unchecked;
        let name = self.view.request.idempotency_key.clone().map(IdempotencyKey::Client);
        let names = self.read_names(name.as_ref());
        let calls: Vec<CallKey> = match (&names.record, &names.for_body) {
            (Some(record), _) => vec![record.call.clone()],
            (None, Some(quotes)) => quotes.quotes.iter().map(|(_, call)| call.clone()).collect(),
            (None, None) => Vec::new(),
        };
        self.view.request.default_currency = fresh.request.default_currency;
        for key in &calls {
            if let Some(call) = self.stored(key).cloned() {
                self.view.put(key, Some(call));
            }
        }
        self.view.record.clone_from(&names.record);
        if names.record.is_none() {
            self.view.candidates = calls;
        }
        self.names = Some(names);
    }

    /// The request sends the id of this payment, which may be unknown.
    pub(super) fn resolve_payment_id(&mut self, payment: &CallKey) {
        if let Some(call) = self.stored(payment).cloned() {
            self.view.put(payment, Some(call));
            self.view.candidates.push(payment.clone());
        }
    }

    fn read_names(&self, name: Option<&IdempotencyKey>) -> Names {
        let record = name.and_then(|name| self.records.iter().find(|(known, _)| known == name));
        let for_body = name.is_none().then(|| self.for_body.clone());
        Names { record: record.map(|(_, record)| record.clone()), for_body }
    }

    /// Carries one step out.
    pub(super) fn carry_out(&mut self, step: Step) -> Next {
        match step {
            Step::AskProvider(calls) => {
                for key in calls {
                    let fact = self.fact(&key);
                    self.view.set_fact(&key, fact);
                }
            }
            Step::CheckSchema => {
                if let BodyView::Json { schema, .. } = &mut self.view.request.body {
                    *schema = self.schema;
                }
            }
            Step::Load(key) => {
                let call = self.stored(&key).cloned();
                self.view.put(&key, call);
            }
            Step::FindSuccessor(key) => self.find_successor(&key),
            Step::AddIdempotencyKey(key) => self.add_idempotency_key(&key),
            Step::Move(key, payment) => {
                let after = match payment {
                    PaymentMove::DepositSeen => self.call(&key).deposit_seen(NOW),
                    PaymentMove::Expired(how) => self.call(&key).expired(how, NOW),
                };
                self.write(&key, after);
            }
            Step::Settle(key) => {
                let settled = self.call(&key).settled(NOW);
                let settled = self.moved_by_another(&key).unwrap_or(settled);
                self.store(settled.clone());
                self.view.put(&key, Some(settled));
            }
            Step::Close(key) => {
                let closed = self.call(&key).closed(NOW);
                self.write(&key, closed);
            }
            Step::Deliver { call: key, .. } => {
                if let Some(moved) = self.moved_by_another(&key) {
                    self.superseded(&key, moved);
                } else if self.random.percent(20) {
                    let obstacle = self.random.pick(&[Obstacle::NoTime, Obstacle::Failed, Obstacle::BreakerOpen(5)]);
                    self.view.obstacle = Some(obstacle);
                } else {
                    return Next::Replied;
                }
            }
            Step::Quote(new) | Step::CallFree(new) => return self.create(&new),
            Step::Replay(_) | Step::Offer(..) | Step::Probe | Step::Wait(_) | Step::Refuse(_) => return Next::Replied,
        }
        Next::GoOn
    }

    pub(super) fn call(&self, key: &CallKey) -> Call {
        self.view.call(key).cloned().expect("a step names a call that was read")
    }

    /// What the provider says about a payment; the same for the whole request.
    fn fact(&mut self, key: &CallKey) -> Fact {
        if let Some((_, fact)) = self.facts.iter().find(|(known, _)| known == key) {
            return fact.clone();
        }
        let over = |how| Fact::Over { how, reason: None };
        let fact = self.random.pick(&[
            Fact::Waiting,
            Fact::Waiting,
            Fact::Waiting,
            Fact::Waiting,
            Fact::Waiting,
            Fact::Waiting,
            Fact::Pending,
            Fact::Filled(Payout::AsQuoted),
            Fact::Filled(Payout::AsQuoted),
            Fact::Filled(Payout::Differs),
            Fact::Filled(Payout::NotRecorded),
            over(PaymentState::Failed),
            over(PaymentState::Failed),
            over(PaymentState::Refunded),
            Fact::Unreachable,
        ]);
        self.facts.push((key.clone(), fact.clone()));
        fact
    }

    fn write(&mut self, key: &CallKey, after: Call) {
        match self.moved_by_another(key) {
            Some(moved) => self.superseded(key, moved),
            None => {
                self.store(after.clone());
                self.view.put(key, Some(after));
            }
        }
    }

    fn find_successor(&mut self, key: &CallKey) {
        let before = self.call(key);
        let currency = before.payment.as_ref().map(|payment| payment.origin_currency);
        let names = match &self.names {
            Some(names) => names.clone(),
            None => self.read_names(replacement_key(&self.view, key, &before).as_ref()),
        };
        let successor = match (&names.record, &names.for_body) {
            (Some(record), _) => Some(record.call.clone()),
            (None, Some(quotes)) => quotes.in_currency(currency).cloned(),
            (None, None) => None,
        };
        self.names = Some(names);
        if let Some(successor) = successor.as_ref().filter(|successor| self.view.known(successor).is_none()) {
            let call = self.stored(successor).cloned();
            self.view.put(successor, call);
            if self.view.raced == Some(Race::Created) {
                self.assume_unpaid(successor);
            }
        }
        self.view.successors.push((key.clone(), successor));
    }

    pub(super) fn assume_unpaid(&mut self, key: &CallKey) {
        if self.view.call(key).is_some_and(|call| call.state == CallState::Quoted) {
            self.view.set_fact(key, Fact::Waiting);
        }
    }

    fn add_idempotency_key(&mut self, key: &CallKey) {
        let call = self.call(key);
        let name = self.view.request.idempotency_key.clone().map(IdempotencyKey::Client).expect("a key to add");
        let known = self.records.iter().find(|(known, _)| *known == name).map(|(_, record)| record.call == *key);
        if known.is_none() {
            self.records.push((name, record_of(&call)));
        }
        self.view.key_added = Some(known.unwrap_or(true));
    }

    /// Lets a key name this call, and no other.
    pub(super) fn name(&mut self, name: IdempotencyKey, call: &Call) {
        self.records.retain(|(known, _)| *known != name);
        self.records.push((name, record_of(call)));
    }

    pub(super) fn unknown_key() -> CallKey {
        key("unknown")
    }
}

pub(super) fn record_of(call: &Call) -> IdempotencyRecord {
    IdempotencyRecord {
        call: call.key(),
        listing: call.listing.id,
        body_sha256: call.body_sha256.clone(),
        currency: call.payment.as_ref().map(|payment| payment.origin_currency),
        version: 1,
    }
}

/// The body that most requests of a world send.
pub(super) fn the_body() -> BodyView {
    BodyView::Json { sha256: BODY.into(), schema: SchemaCheck::Unchecked }
}
