//! Events twice, late and shuffled, against a recomputation from the calls as they stand.

use std::collections::BTreeMap;

use super::super::event::{Event, events};
use super::super::facts::{Counted, PayerFacts};
use super::super::fade::{WEIGHTS, day_of, day_start_ms};
use super::super::window::{Payers, Window};
use super::super::{Payer, UNIT_FEE, milli, score};
use super::events::{attempted, paid};
use crate::call::ledger::Settlement;
use crate::call::{Call, CallState, PaymentState};
use crate::ids::{CallId, ProfileId};
use crate::money::{FeeRate, Micros, PriceSplit};
use crate::timestamp::from_unix_ms;

const HISTORIES: u64 = 1_000;
const TODAY: i32 = 20_740;

/// A small generator of random numbers (SplitMix64), so that every run plays the same histories.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % (bound as u64)).unwrap_or(0)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// A call, at every moment at which the log could have been read.
fn versions(random: &mut Random) -> Vec<Call> {
    let day = TODAY - i32::try_from(random.below(95)).unwrap_or(0);
    let at = day_start_ms(day) + i64::try_from(random.below(60_000_000)).unwrap_or(0);
    let price = [100, 20_000, 100_000, 333_333][random.below(4)];
    let mut call = paid(1);
    call.id = CallId::generate(from_unix_ms(at));
    call.buyer = ProfileId::from_bytes([u8::try_from(random.below(4)).unwrap_or(0) + 1; 16]);
    call.split = PriceSplit::of(Micros(price), FeeRate::from_bps(490).expect("a rate"));
    let ended = match random.below(7) {
        0 | 1 => attempted(call, 200, at),
        2 => attempted(attempted(call, 500, at), 200, at + 60_000),
        3 => attempted(call, 404, at),
        4 => call.closed(at),
        5 => attempted(call, 500, at).closed(at + 60_000),
        _ => [0, 5, 12].into_iter().fold(call, |call, minute| attempted(call, 503, at + minute * 60_000)).closed(at + 900_000),
    };
    let mut versions = vec![ended];
    for _ in 0..random.below(3) {
        let mut next = versions.last().cloned().expect("an ended call");
        if random.below(3) == 0 {
            next.payment.as_mut().expect("a payment").state = PaymentState::Refunded;
        } else {
            next.debts.seller = Settlement::Settled;
        }
        versions.push(next);
    }
    versions
}

/// What the calls of each payer come to by the rules, without events or facts.
fn by_the_rules(calls: &[Call]) -> BTreeMap<ProfileId, Payer> {
    let mut sums: BTreeMap<ProfileId, ([i64; 3], i64)> = BTreeMap::new();
    for call in calls {
        let age = TODAY - day_of(call.updated_ms);
        if age >= 91 {
            continue;
        }
        let w = WEIGHTS[usize::try_from(age / 7).expect("an age")];
        let m = milli(call.split.fee, UNIT_FEE);
        let (sum, grief) = sums.entry(call.buyer).or_default();
        let is_back = call.debts.seller == Settlement::Settled;
        let is_reversed = call.payment.as_ref().expect("a payment").state == PaymentState::Refunded;
        let failures = i64::try_from(call.failures()).expect("a count");
        match call.state {
            CallState::Delivered { .. } if is_reversed || is_back => {}
            CallState::Delivered { .. } if call.attempts.last().and_then(|last| last.seller_status_code) == Some(200) => {
                sum[0] += w * m;
                sum[1] += if failures > 0 { w * (m / 2) } else { 0 };
            }
            CallState::Undelivered if !is_reversed && failures > 0 => {
                let owed = failures >= 3 && !is_back && age >= 3;
                sum[if owed { 2 } else { 1 }] += if owed { w * m } else { w * (m / 2) };
                *grief = (*grief).max(if owed { w } else { w / 2 });
            }
            _ => {}
        }
    }
    let payer =
        |([kept, lost, owed], grief): ([i64; 3], i64)| Payer { kept: kept / 1_000, lost: lost / 1_000, owed: owed / 1_000, grief };
    sums.into_iter().map(|(id, sums)| (id, payer(sums))).collect()
}

/// Payers of whom something counts. Those of whom nothing does may have a row or none.
fn heard_of(payers: impl IntoIterator<Item = (ProfileId, Payer)>) -> BTreeMap<ProfileId, Payer> {
    payers.into_iter().filter(|(_, payer)| (payer.kept, payer.lost, payer.owed, payer.grief) != (0, 0, 0, 0)).collect()
}

fn window<'a>(days: impl Iterator<Item = (i32, &'a PayerFacts)>) -> Window {
    let mut window = Window::default();
    for (day, facts) in days {
        window.add_day(day, facts, &Payers::default(), TODAY);
    }
    window
}

#[test]
fn a_full_recomputation_equals_the_increments() {
    let (mut differ, mut counted_events) = (0, 0);
    for seed in 0..HISTORIES {
        let mut random = Random(seed);
        let histories: Vec<Vec<Call>> = (0..1 + random.below(40)).map(|_| versions(&mut random)).collect();
        // The log shows every version, some of them twice, in any order.
        let mut log: Vec<Event> = histories.iter().flatten().flat_map(|call| events(call, UNIT_FEE)).collect();
        let again: Vec<Event> = (0..log.len()).map(|_| log[random.below(log.len())]).collect();
        log.extend(again);
        random.shuffle(&mut log);
        let mut slices: BTreeMap<i64, Counted> = BTreeMap::new();
        for event in &log {
            counted_events += usize::from(slices.entry(event.at_ms / 600_000).or_default().count(event));
        }
        let mut days: BTreeMap<i32, PayerFacts> = BTreeMap::new();
        for (slice, counted) in &slices {
            days.entry(day_of(slice * 600_000)).or_default().merge(&counted.payers);
        }
        let calls: Vec<Call> = histories.into_iter().filter_map(|versions| versions.into_iter().next_back()).collect();
        let mut full: BTreeMap<i32, PayerFacts> = BTreeMap::new();
        for event in calls.iter().flat_map(|call| events(call, UNIT_FEE)) {
            full.entry(day_of(event.at_ms)).or_default().add(&event);
        }
        let (increments, rederived) =
            (window(days.iter().map(|(day, facts)| (*day, facts))), window(full.iter().map(|(day, facts)| (*day, facts))));
        let is_same = days == full
            && score(&increments.sums(&[]), 1, false) == score(&rederived.sums(&[]), 1, false)
            && heard_of(increments.rows.iter().map(|(id, row)| (*id, row.payer()))) == heard_of(by_the_rules(&calls));
        differ += usize::from(!is_same);
    }
    println!("recomputation: {HISTORIES} histories, {counted_events} events, {differ} differ");
    assert_eq!(differ, 0);
}
