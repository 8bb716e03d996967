//! Parallel requests: now and then one of them is first to move a call, or to make it.

use std::collections::BTreeMap;

use super::calls::{MINUTE, NOW, call_id, quoted};
use super::world::{Next, World};
use crate::call::step::{NewCall, Step};
use crate::call::view::{Fact, View};
use crate::call::{Call, CallKey, CallName, CallState, PaymentState};
use crate::currency::OriginCurrency;

impl World {
    fn is_first_another(&mut self) -> bool {
        let another = self.races > 0 && self.random.percent(25);
        self.races -= u32::from(another);
        another
    }

    /// Lets a parallel request move this call, now and then.
    pub(super) fn may_be_moved_by_another(&mut self, key: &CallKey) {
        if !self.is_first_another() {
            return;
        }
        let Some(call) = self.stored(key).cloned() else { return };
        let is_waiting = matches!(call.state, CallState::Quoted | CallState::Expired);
        let is_unpaid = is_waiting || call.state == CallState::Pending;
        let delivering = |call: Call| call.settled_at(NOW).begun("another".into(), NOW + 1, 2, NOW);
        let moved = match self.random.below(6) {
            0 if is_waiting => call.deposit_seen(NOW),
            1 if is_unpaid => call.expired(PaymentState::Failed, NOW),
            2 => delivering(call),
            3 => delivering(call).delivered_at(NOW),
            4 => call.settled_at(NOW).closed(NOW),
            _ => call.settled_at(NOW),
        };
        self.store(moved);
    }

    /// Lets a parallel request make a call of the same name, now and then. Its call may still be on its way.
    pub(super) fn may_be_made_by_another(&mut self, name: &CallName, new: &NewCall) {
        if !self.is_first_another() {
            return;
        }
        let call = if self.random.percent(50) { self.make(new) } else { self.in_any_state(new) };
        self.list(name, &call, &self.stored.clone());
        if self.random.percent(75) {
            self.store(call);
        }
    }

    fn in_any_state(&mut self, new: &NewCall) -> Call {
        let call = self.new_call(self.view.listing.is_paid).in_round(new.round);
        Call { idempotency_key: new.name.as_ref().and_then(CallName::key).map(str::to_owned), ..call }
    }

    /// The call that `Quote` or `CallFree` makes.
    pub(super) fn make(&mut self, new: &NewCall) -> Call {
        self.last_id += 1;
        let call = Call {
            id: call_id(self.last_id),
            idempotency_key: new.name.as_ref().and_then(CallName::key).map(str::to_owned),
            ..quoted(&format!("p{}", self.last_id)).in_round(new.round)
        };
        if self.view.listing.is_paid {
            let currency = new.currency.or(self.view.request.default_currency);
            call.in_currency(currency.unwrap_or(OriginCurrency::Sol))
        } else {
            let begun = call.begun("attempt".into(), NOW + MINUTE, 2, NOW);
            Call { payment: None, ..begun }
        }
    }
}

/// One of several requests that run at the same time.
struct Running {
    view: View,
    /// The record lists this call, which is not stored yet.
    arriving: Option<Call>,
    offered: Option<CallKey>,
    has_replied: bool,
}

/// Lets the requests take their turns in a random order until each has replied.
fn run(world: &mut World, requests: &mut [Running]) {
    for _ in 0..1_000 {
        let waiting: Vec<usize> = (0..requests.len()).filter(|n| !requests[*n].has_replied).collect();
        if waiting.is_empty() {
            return;
        }
        let turn = &mut requests[world.random.pick(&waiting)];
        if let Some(call) = turn.arriving.take() {
            world.store(call);
            turn.has_replied = true;
            continue;
        }
        std::mem::swap(&mut world.view, &mut turn.view);
        let step = world.decide();
        if let Step::Offer(offer) = &step {
            turn.offered = Some(offer.call.clone());
        }
        match world.carry_out(step) {
            Next::GoOn => {}
            Next::Replied => turn.has_replied = true,
            Next::Made(call) => {
                turn.offered = Some(call.key());
                turn.arriving = Some(*call);
            }
        }
        std::mem::swap(&mut world.view, &mut turn.view);
    }
    panic!("no reply");
}

#[test]
fn parallel_requests_end_with_at_most_one_quote_offered_per_name_and_currency() {
    let (mut offers, mut shared) = (0, 0);
    for seed in 0..10_000 {
        let mut world = World::of_seed(seed);
        world.races = 0;
        let count = 2 + world.random.below(5);
        let mut requests: Vec<Running> = (0..count)
            .map(|_| {
                world.make_request();
                Running { view: world.view.clone(), arriving: None, offered: None, has_replied: false }
            })
            .collect();
        run(&mut world, &mut requests);
        let mut open: BTreeMap<String, Vec<CallKey>> = BTreeMap::new();
        for key in requests.iter().filter_map(|request| request.offered.clone()) {
            let call = world.stored(&key).cloned().expect("what is offered is stored");
            let currency = call.payment.as_ref().map(|payment| payment.origin_currency);
            // What the provider has just reported as failed may be replaced at once.
            let is_open = !matches!(world.fact(&key), Fact::Over { .. });
            if is_open {
                offers += 1;
                open.entry(format!("{:?} {} {currency:?}", call.name(), call.round)).or_default().push(key);
            }
        }
        for (name, mut keys) in open {
            shared += usize::from(keys.len() > 1);
            keys.sort();
            keys.dedup();
            assert_eq!(keys.len(), 1, "seed {seed}, {name}: {keys:?}\n{:#?}", world.records);
        }
    }
    println!("{offers} offers, {shared} times one that several requests share");
    assert!(shared > 100, "requests meet: {shared}");
}

#[test]
fn of_nine_identical_parallel_first_calls_one_is_quoted_and_the_others_show_it_or_wait_for_it() {
    for seed in 0..500 {
        let mut world = World::of_seed(seed);
        world.forget_everything();
        let request = || Running { view: super::asking::asking().view, arriving: None, offered: None, has_replied: false };
        let mut requests: Vec<Running> = (0..9).map(|_| request()).collect();
        run(&mut world, &mut requests);
        let mut offered: Vec<CallKey> = requests.into_iter().filter_map(|request| request.offered).collect();
        offered.dedup();
        assert_eq!((offered.len(), world.stored.len()), (1, 1), "seed {seed}");
    }
}
