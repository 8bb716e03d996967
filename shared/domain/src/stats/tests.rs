//! Counting once, whatever comes twice, late or out of order.

mod parts;

use std::collections::BTreeMap;

use super::*;
use crate::call::outcome::Outcome;
use crate::call::{AttemptReport, Call, CallState};
use crate::ids::{CallId, ListingId, ProfileId};
use crate::money::{FeeRate, Micros, PriceSplit};
use crate::refund::samples;
use crate::score::UNIT_FEE;
use crate::score::event::events;
use crate::score::fade::{DAYS, day_of, day_start_ms};
use crate::timestamp::from_unix_ms;

const HISTORIES: u64 = 1_000;
const DAY_MS: i64 = 24 * 3_600_000;
const MINUTE_MS: i64 = 60_000;

/// A small generator of random numbers, the same on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn ms(&mut self, n: i64) -> i64 {
        i64::try_from(self.below(u64::try_from(n).unwrap_or(1))).unwrap_or(0)
    }
}

/// A call that ends at this time: delivered or not, at some attempt, free or at some price.
fn ended(random: &mut Random, at_ms: i64) -> Call {
    let price = Micros([100, 10_000, 100_000, 1_000_000][usize::try_from(random.below(4)).unwrap_or(0)]);
    let id = u8::try_from(random.below(4)).unwrap_or(0);
    let mut call = Call {
        id: CallId::generate(from_unix_ms(at_ms)),
        buyer: ProfileId::from_bytes([10 + id; 16]),
        split: PriceSplit::of(price, FeeRate::from_bps(490).expect("a rate")),
        ..samples::call(1)
    };
    call.listing.id = ListingId::from_bytes([20 + u8::try_from(random.below(2)).unwrap_or(0); 16]);
    if random.below(6) == 0 {
        call.payment = None;
    }
    call = call.settled(None, at_ms - MINUTE_MS);
    for _ in 0..random.below(3) {
        call = attempt(call, random, Outcome::SellerError, Some(500), at_ms);
    }
    if random.below(5) == 0 && !call.attempts.is_empty() {
        return call.closed(at_ms);
    }
    let status = if random.below(8) == 0 { 404 } else { 200 };
    let call = attempt(call, random, Outcome::Delivered, Some(status), at_ms);
    assert!(matches!(call.state, CallState::Delivered { .. }));
    call
}

fn attempt(call: Call, random: &mut Random, outcome: Outcome, status: Option<u16>, at_ms: i64) -> Call {
    let latency_ms = random.ms(20_000);
    let report = AttemptReport { latency_ms, response_bytes: Some(1), seller_status_code: status, outcome, unreadable: None };
    call.begun(String::new(), at_ms, 1, at_ms - latency_ms).ended(&report, None, at_ms)
}

/// Slices, and days that are folded, as a run of the sweeper leaves them.
#[derive(Default)]
struct Stored {
    slices: BTreeMap<i64, Counted>,
    days: BTreeMap<i32, Counted>,
}

impl Stored {
    /// One run over these calls. Returns whether some event has to wait.
    fn run(&mut self, calls: &[&Call], now_ms: i64) -> bool {
        let mut waits = false;
        for call in calls {
            for (n, event) in events(call, UNIT_FEE).into_iter().enumerate() {
                match place(event.at_ms, now_ms) {
                    Place::Slice => {
                        let day = day_of(event.at_ms);
                        assert!(!self.days.contains_key(&day), "a slice is written of a day that is folded");
                        self.slices.entry(slice_start_ms(event.at_ms)).or_default().count(&event, call, n == 0);
                    }
                    Place::Day => {
                        self.fold(day_of(event.at_ms));
                        self.days.entry(day_of(event.at_ms)).or_default().count(&event, call, n == 0);
                    }
                    Place::Later => waits = true,
                }
            }
        }
        waits
    }

    fn fold(&mut self, day: i32) {
        if self.days.contains_key(&day) {
            return;
        }
        let of_day: Vec<i64> = self.slices.keys().copied().filter(|start| day_of(*start) == day).collect();
        let mut folded = Counted::default();
        for start in of_day {
            if let Some(slice) = self.slices.remove(&start) {
                folded.book.merge(&slice.book);
                folded.seen.extend(slice.seen);
            }
        }
        self.days.insert(day, folded);
    }

    fn books(&self) -> BTreeMap<i32, Book> {
        let mut books: BTreeMap<i32, Book> = self.days.iter().map(|(day, counted)| (*day, counted.book.clone())).collect();
        for (start, slice) in &self.slices {
            books.entry(day_of(*start)).or_default().merge(&slice.book);
        }
        books.retain(|_, book| *book != Book::default());
        books
    }
}

/// Everything counted at once, from the calls as they are at the end.
fn recomputed(calls: &[Call]) -> BTreeMap<i32, Book> {
    let mut books: BTreeMap<i32, Counted> = BTreeMap::new();
    for call in calls {
        for (n, event) in events(call, UNIT_FEE).into_iter().enumerate() {
            books.entry(day_of(event.at_ms)).or_default().count(&event, call, n == 0);
        }
    }
    books.into_iter().map(|(day, counted)| (day, counted.book)).filter(|(_, book)| *book != Book::default()).collect()
}

#[test]
fn counting_bit_by_bit_comes_to_the_same_as_counting_everything_at_once() {
    let begin = day_start_ms(20_000);
    let mut events_counted = 0;
    for seed in 1..=HISTORIES {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut calls: Vec<Call> = Vec::new();
        let mut stored = Stored::default();
        let mut unread: Vec<usize> = Vec::new();
        let mut now_ms = begin;
        for _ in 0..30 {
            // Sometimes nothing runs for days.
            now_ms += if random.below(4) == 0 { random.ms(3 * DAY_MS) } else { random.ms(20 * MINUTE_MS) };
            for _ in 0..random.below(4) {
                let end_ms = now_ms - random.ms(2 * MINUTE_MS);
                calls.push(ended(&mut random, end_ms));
                unread.push(calls.len() - 1);
            }
            if random.below(3) == 0 && !calls.is_empty() {
                let n = usize::try_from(random.below(calls.len() as u64)).unwrap_or(0);
                let call = &mut calls[n];
                if call.payment.is_some() && call.debts.seller == crate::call::ledger::Settlement::Open {
                    call.debts.seller = crate::call::ledger::Settlement::Settled;
                    call.debts.changed_ms = Some(now_ms);
                    unread.push(n);
                }
            }
            // A run that fails reads nothing; entries come again, and in any order.
            if random.below(4) == 0 {
                continue;
            }
            for _ in 0..random.below(4) {
                if !calls.is_empty() {
                    unread.push(usize::try_from(random.below(calls.len() as u64)).unwrap_or(0));
                }
            }
            for n in (1..unread.len()).rev() {
                unread.swap(n, usize::try_from(random.below(n as u64 + 1)).unwrap_or(0));
            }
            let read: Vec<&Call> = unread.iter().map(|n| &calls[*n]).collect();
            if !stored.run(&read, now_ms) {
                unread.clear();
            }
            if random.below(5) == 0 {
                for day in day_of(begin)..=day_of(now_ms) {
                    if place(day_start_ms(day), now_ms) == Place::Day {
                        stored.fold(day);
                    }
                }
            }
        }
        now_ms += 15 * MINUTE_MS;
        let read: Vec<&Call> = unread.iter().chain(&unread).map(|n| &calls[*n]).collect();
        if stored.run(&read, now_ms) {
            now_ms += 15 * MINUTE_MS;
            assert!(!stored.run(&read, now_ms));
        }
        let (counted, expected) = (stored.books(), recomputed(&calls));
        assert_eq!(counted, expected, "seed {seed}");
        events_counted += expected.values().flat_map(|book| book.listings.values()).map(|of| of.delivered).sum::<u64>();
        for listing in [20, 21].map(|n| ListingId::from_bytes([n; 16])) {
            let of = |books: &BTreeMap<i32, Book>| {
                let days: Vec<(i32, Book)> = books.iter().map(|(day, book)| (*day, book.clone())).collect();
                let counters = days.iter().filter_map(|(day, book)| Some((*day, book.listings.get(&listing)?)));
                let today = day_of(now_ms).min(day_of(begin) + DAYS);
                let seller = ProfileId::from_bytes([2; 16]);
                (report(counters), volume(days.iter().map(|(day, book)| (*day, book)), listing, seller, today))
            };
            assert_eq!(of(&counted), of(&expected), "seed {seed}");
        }
    }
    println!("{HISTORIES} histories, {events_counted} deliveries, 0 differ");
}

#[test]
fn counters_are_read_as_they_were_written() {
    let mut random = Random(7);
    let mut counted = Counted::default();
    for n in 0..200 {
        let call = ended(&mut random, day_start_ms(20_000) + n);
        for (n, event) in events(&call, UNIT_FEE).into_iter().enumerate() {
            assert!(counted.count(&event, &call, n == 0));
            assert!(!counted.count(&event, &call, n == 0), "twice");
        }
    }
    let bytes = counted.book.listings_to_bytes();
    let mut read = Book::default();
    read.add_listings(&bytes).expect("counters");
    assert_eq!(read.listings, counted.book.listings);
    for cut in 1..bytes.len() {
        let mut damaged = Book::default();
        let _ = damaged.add_listings(&bytes[..cut]);
    }
    assert_eq!(Book::default().add_listings(&[1, 2, 3]), Err(NotCounters));
}

#[test]
fn figures_say_what_was_counted() {
    assert_eq!(figures(&Counters::default()), Figures::default());
    let mut counters = Counters { delivered: 3, undelivered: 1, last_ms: 5, ..Counters::default() };
    counters.prices = BTreeMap::from([(Micros(100), 1), (Micros(500), 2)]);
    [10, 20, 30].into_iter().for_each(|ms| counters.times.add(ms));
    let figures = figures(&counters);
    assert_eq!((figures.calls, figures.success(), figures.last_ms), (4, Some(75_000), Some(5)));
    assert_eq!((figures.median_price, figures.p50_ms), (Some(Micros(500)), Some(21)));
}
