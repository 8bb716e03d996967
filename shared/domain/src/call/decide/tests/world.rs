//! Random worlds: what the store, the provider and parallel requests may hold, and how a request goes on in them.
//!
//! The interpreter carries out each step as the gateway does. Everything follows from the seed.

use super::calls::{BODY, MINUTE, NOW};
use super::random::Random;
use crate::call::decide::decide;
use crate::call::record::IdempotencyRecord;
use crate::call::step::{CallMove, Step};
use crate::call::view::{BodyView, Fact, Obstacle, Payout, Race, RecordView, ResolvedBy, SchemaCheck, View};
use crate::call::{Call, CallKey, CallName, PaymentState};

/// Everything outside of a request's own view.
pub(super) struct World {
    pub(super) random: Random,
    pub(super) view: View,
    pub(super) stored: Vec<Call>,
    pub(super) records: Vec<(CallName, IdempotencyRecord)>,
    /// Keys that came later, the first name of what they name, and the call that each was sent for.
    pub(super) pointers: Vec<(String, CallName, CallKey)>,
    pub(super) facts: Vec<(CallKey, Fact)>,
    pub(super) schema: SchemaCheck,
    pub(super) had_price: bool,
    /// Whether nobody pays in this world, so that what is offered is seen more often.
    pub(super) is_unpaid: bool,
    /// How often a parallel request may still be first.
    pub(super) races: u32,
    pub(super) last_id: u32,
}

/// What a step leads to.
pub(super) enum Next {
    GoOn,
    Replied,
    /// The record lists this new call. Until it is stored, the record alone is seen.
    Made(Box<Call>),
}

impl World {
    pub(super) fn decide(&self) -> Step {
        decide(&self.view)
    }

    pub(super) fn stored(&self, key: &CallKey) -> Option<&Call> {
        self.stored.iter().find(|call| call.key() == *key)
    }

    /// Stores the next version of a call.
    pub(super) fn store(&mut self, mut call: Call) -> Call {
        call.version = self.stored(&call.key()).map_or(1, |before| before.version + 1);
        self.stored.retain(|other| other.key() != call.key());
        self.stored.push(call.clone());
        call
    }

    pub(super) fn record(&self, name: &CallName) -> Option<&IdempotencyRecord> {
        self.records.iter().find(|(known, _)| known == name).map(|(_, record)| record)
    }

    pub(super) fn put_record(&mut self, name: &CallName, record: IdempotencyRecord) {
        self.records.retain(|(known, _)| known != name);
        self.records.push((name.clone(), record));
    }

    /// What the request names, unless it sends a payment id.
    fn name(&self) -> CallName {
        let body = CallName::Body { listing: self.view.listing.id, sha256: BODY.into() };
        match &self.view.request.idempotency_key {
            Some(key) => self.first_name(key),
            None => body,
        }
    }

    fn first_name(&self, key: &str) -> CallName {
        let later = self.pointers.iter().find(|(known, ..)| known == key);
        later.map_or_else(|| CallName::Key(key.into()), |(_, name, _)| name.clone())
    }

    /// Reads what the request names.
    pub(super) fn resolve(&mut self) {
        let is_recorded = self.view.listing.is_paid || self.had_price || self.view.request.idempotency_key.is_some();
        if self.view.request.resolved_by == ResolvedBy::PaymentId || !is_recorded {
            self.view.record = RecordView::Unread;
        } else {
            self.read_record(&self.name());
            let key = self.view.request.idempotency_key.as_ref();
            let later = self.pointers.iter().find(|(known, ..)| Some(known) == key).map(|(.., call)| call.clone());
            if let Some(named) = later {
                let call = self.stored(&named).cloned();
                self.view.put(&named, call);
                self.view.named = Some(named);
            }
        }
    }

    /// The request sends this payment's id, which may be unknown.
    pub(super) fn resolve_payment_id(&mut self, payment: &CallKey) {
        self.view.named = Some(payment.clone());
        let call = self.stored(payment).cloned();
        self.view.put(payment, call);
        self.view.record = RecordView::Unread;
    }

    /// Reads a record and the calls that it lists.
    fn read_record(&mut self, name: &CallName) {
        let record = self.record(name).cloned();
        for listed in record.iter().flat_map(|record| &record.calls) {
            let call = self.stored(&listed.key).cloned();
            self.view.put(&listed.key, call);
        }
        self.view.record = record.map_or(RecordView::Absent, RecordView::Found);
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
            Step::LoadRecord(key) => self.read_record(&self.call(&key).name()),
            Step::AddIdempotencyKey(key) => self.add_idempotency_key(&key),
            Step::Move(key, call_move) => {
                let call = self.call(&key);
                let after = match call_move {
                    CallMove::DepositSeen => call.deposit_seen(NOW),
                    CallMove::Expired(how) => call.expired(how, NOW),
                    CallMove::PresentedInVain => call.presented_in_vain(NOW),
                    CallMove::Reversed => call.reversed(NOW),
                };
                self.write(&key, after);
            }
            Step::Settle(key) => self.write(&key, self.call(&key).settled_at(NOW)),
            Step::Close(key) => self.write(&key, self.call(&key).closed(NOW)),
            Step::Deliver { call: key, settle } => return self.deliver(&key, settle),
            Step::Quote(new) | Step::CallFree(new) => return self.create(&new),
            Step::Replay(_) | Step::Offer(_) | Step::Closing(..) | Step::Probe | Step::Wait(_) | Step::Refuse(_) => {
                return Next::Replied;
            }
        }
        Next::GoOn
    }

    pub(super) fn call(&self, key: &CallKey) -> Call {
        self.view.call(key).cloned().expect("a step names a call that was read")
    }

    /// What the provider says about a payment; the same for the whole world.
    pub(super) fn fact(&mut self, key: &CallKey) -> Fact {
        if let Some((_, fact)) = self.facts.iter().find(|(known, _)| known == key) {
            return fact.clone();
        }
        let over = |how| Fact::Over { how, reason: None };
        let fact = match self.random.below(32) {
            16..=22 | 29.. if self.is_unpaid => Fact::Waiting,
            0..=15 => Fact::Waiting,
            16 | 17 => Fact::Pending,
            18..=20 => Fact::Filled(Payout::AsQuoted),
            21 => Fact::Filled(Payout::Differs),
            22 => Fact::Filled(Payout::NotRecorded),
            23..=26 => over(PaymentState::Failed),
            27 | 28 => over(PaymentState::Refunded),
            29 => Fact::Unreachable,
            _ => Fact::Unknown,
        };
        self.facts.push((key.clone(), fact.clone()));
        fact
    }

    /// Stores a call, unless a parallel request has moved it.
    fn write(&mut self, key: &CallKey, after: Call) {
        self.may_be_moved_by_another(key);
        let found = self.stored(key).cloned().expect("a stored call");
        if found.version == self.call(key).version {
            let after = self.store(after);
            self.view.put(key, Some(after));
        } else {
            self.view.put(key, Some(found));
            self.view.raced = Some(Race::Moved);
        }
    }

    /// Takes the lease and calls the seller, unless something is in the way.
    fn deliver(&mut self, key: &CallKey, settle: bool) -> Next {
        if self.random.percent(20) {
            let obstacle = self.random.pick(&[Obstacle::NoTime, Obstacle::Failed, Obstacle::BreakerOpen(5), Obstacle::SecretLost]);
            self.view.obstacle = Some(obstacle);
            return Next::GoOn;
        }
        let call = self.call(key);
        let paid = if settle { call.settled_at(NOW) } else { call };
        let begun = paid.begun("attempt".into(), NOW + MINUTE, 2, NOW);
        let version = self.call(key).version;
        self.write(key, begun.clone());
        if self.call(key).version != version + 1 || self.call(key).state != begun.state {
            return Next::GoOn;
        }
        if self.random.percent(50) {
            self.store(begun.delivered_at(NOW));
        }
        Next::Replied
    }

    fn add_idempotency_key(&mut self, key: &CallKey) {
        let own = self.call(key).name();
        let new = self.view.request.idempotency_key.clone().expect("a key to add");
        let known = self.first_name(&new);
        let is_unknown = known == CallName::Key(new.clone()) && self.record(&known).is_none();
        if is_unknown {
            self.pointers.push((new, own.clone(), key.clone()));
        }
        self.view.key_added = Some(is_unknown || known == own);
    }

    /// Writes the record and then the call, unless the record has changed meanwhile.
    fn create(&mut self, new: &crate::call::step::NewCall) -> Next {
        let Some(name) = &new.name else { return Next::Replied };
        self.may_be_made_by_another(name, new);
        let found = self.record(name).cloned();
        let read = match &self.view.record {
            RecordView::Found(record) => Some(record.version),
            RecordView::Unread | RecordView::Absent => None,
        };
        if found.as_ref().map(|record| record.version) != read {
            self.read_record(name);
            self.view.raced = Some(Race::Created);
            return Next::GoOn;
        }
        let call = self.make(new);
        let known: Vec<Call> = self.view.calls.iter().filter_map(|known| known.call.clone()).collect();
        self.list(name, &call, &known);
        self.facts.push((call.key(), Fact::Waiting));
        Next::Made(Box::new(call))
    }

    /// Adds a call to its record.
    pub(super) fn list(&mut self, name: &CallName, call: &Call, known: &[Call]) {
        let known: Vec<&Call> = known.iter().collect();
        let before = self.record(name).cloned().unwrap_or_else(|| IdempotencyRecord::empty(call));
        self.put_record(name, before.with(call, &known, NOW));
    }
}
