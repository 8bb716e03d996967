//! Counts the calls of some entries of the log: in slices and days of their sellers, and of the whole deployment.
//!
//! What fails is noted and left for the next run, and everything else goes on: no seller can stop the counts of another.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crochet::http::{ApiError, Result};
use crochet::store::keys::{ALL_ROWS, Whose};
use crochet::store::retry::retry_on_conflict;
use crochet::store::stats_log::{LogEntry, Logged};
use crochet::store::{Store, StoreError};
use crochet_domain::call::ledger::Settlement;
use crochet_domain::call::{Call, CallKey, CallState, PaymentState};
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::money::Micros;
use crochet_domain::review::EvidenceState;
use crochet_domain::score::Event;
use crochet_domain::score::event::{EventId, events};
use crochet_domain::score::fade::{day_of, day_start_ms};
use crochet_domain::stats::{Day, Parts, Place, place, slice_start_ms};

use crate::count_due::FOLDED_AT_MS;
use crate::turn::in_turn;

/// How long an entry that fails is tried again: 10 minutes, from its time and from when counting began to fail. So much of the log is read
/// again every minute meanwhile. The daily comparison with the calls puts in order what was left out of a score.
const TRIED_FOR_MS: i64 = 10 * 60_000;

/// An event, and the call that it is of.
#[derive(Clone, Copy)]
struct Counting<'a> {
    event: Event,
    call: &'a Call,
    is_end: bool,
    /// The place of its entry.
    entry: usize,
}

/// Entries that are being counted.
pub(crate) struct Run<'a> {
    store: &'a Store,
    entries: &'a [LogEntry],
    failing_since_ms: Option<i64>,
    now_ms: i64,
    until: Instant,
    left: Left,
}

/// Listings of a seller that are shown anew, and the entries because of which they are.
type Touched = (BTreeSet<ListingId>, Vec<usize>);

/// What a run has left for the next one.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// The places of entries that were not counted and have to be read again: their day is about to be folded, something failed, or the
    /// time was over.
    pub(crate) entries: BTreeSet<usize>,
    /// Whether something failed.
    pub(crate) has_failed: bool,
}

impl<'a> Run<'a> {
    /// A run over these entries. `failing_since_ms` is when counting began to fail, if it does. After `until`, the figures of no further
    /// seller are begun; those of one always are, of another one each minute, so that each run gets somewhere.
    pub(crate) fn of(
        store: &'a Store,
        entries: &'a [LogEntry],
        failing_since_ms: Option<i64>,
        now_ms: i64,
        until: Instant,
    ) -> Self {
        Self { store, entries, failing_since_ms, now_ms, until, left: Left::default() }
    }

    /// Counts.
    ///
    /// # Errors
    /// Those of the store, if it cannot read the calls.
    pub(crate) async fn count(mut self, unit_fee: Micros) -> Result<Left> {
        let Run { store, entries, now_ms, .. } = self;
        let places: BTreeMap<CallKey, usize> = (0..).zip(entries).filter_map(|(n, entry)| Some((call_of(entry)?, n))).collect();
        let keys: Vec<CallKey> = entries.iter().filter_map(call_of).collect();
        let calls = store.calls(&keys).await?;
        let mut touched: BTreeMap<ProfileId, Touched> = BTreeMap::new();
        let mut slices: BTreeMap<(Whose, i64, u8), Vec<Counting>> = BTreeMap::new();
        let mut days: BTreeMap<(ProfileId, i32), Vec<Counting>> = BTreeMap::new();
        for call in &calls {
            let Some(entry) = places.get(&call.key()).copied() else { continue };
            let (listings, of) = touched.entry(call.seller).or_default();
            listings.insert(call.listing.id);
            of.push(entry);
            if let Err(error) = note_evidence(store, call, now_ms).await {
                self.failed(&[entry], "the review of a call", &error);
            }
            for (n, event) in events(call, unit_fee).into_iter().enumerate() {
                let counting = Counting { event, call, is_end: n == 0, entry };
                match place(event.at_ms, now_ms) {
                    Place::Slice => {
                        let at_ms = slice_start_ms(event.at_ms);
                        slices.entry((Whose::Seller(call.seller), at_ms, 0)).or_default().push(counting);
                        slices.entry((Whose::All, at_ms, event.id[0] % ALL_ROWS)).or_default().push(counting);
                    }
                    Place::Day => days.entry((call.seller, day_of(event.at_ms))).or_default().push(counting),
                    Place::Later => self.left.entries.extend([entry]),
                }
            }
        }
        for ((whose, at_ms, row), countings) in &slices {
            if let Err(error) = count_in_slice(store, *whose, (*at_ms, *row), countings, now_ms).await {
                self.failed(&entries_of(countings), &format!("ten minutes of {whose:?} from {at_ms}"), &error.into());
            }
        }
        self.count_in_days(&days).await;
        for (n, entry) in entries.iter().enumerate() {
            if let Logged::Review(listing, _) = entry.logged {
                match store.listing(listing).await {
                    Ok(Some(listing)) => {
                        let (listings, of) = touched.entry(listing.seller.id).or_default();
                        listings.insert(listing.id);
                        of.push(n);
                    }
                    Ok(None) => {}
                    Err(error) => self.failed(&[n], "the listing of a review", &error.into()),
                }
            }
        }
        self.refresh(touched).await;
        Ok(self.left)
    }

    /// Renews the figures of these sellers' listings, as long as there is time.
    async fn refresh(&mut self, touched: BTreeMap<ProfileId, Touched>) {
        for (n, (seller, (listings, of))) in in_turn(touched.into_iter().collect(), self.now_ms).into_iter().enumerate() {
            if n > 0 && Instant::now() >= self.until {
                self.left.entries.extend(of);
                continue;
            }
            let listings: Vec<ListingId> = listings.into_iter().collect();
            if let Err(error) = self.store.refresh_figures(seller, &listings, self.now_ms).await {
                self.failed(&of, &format!("the figures of {seller}"), &error.into());
            }
        }
    }
}

fn call_of(entry: &LogEntry) -> Option<CallKey> {
    match &entry.logged {
        Logged::Call(key) => Some(key.clone()),
        Logged::Review(..) => None,
    }
}

fn entries_of(countings: &[Counting<'_>]) -> Vec<usize> {
    countings.iter().map(|counting| counting.entry).collect()
}

impl Run<'_> {
    /// Notes that something of these entries was not counted. They are read again, unless they are too old for that.
    fn failed(&mut self, entries: &[usize], what: &str, error: &ApiError) {
        let is_late = |since_ms: i64| self.now_ms - since_ms > TRIED_FOR_MS;
        // After a pause, all entries are old when they are tried for the first time.
        let has_failed_long = self.failing_since_ms.is_some_and(is_late);
        let is_tried_again = |n: &usize| self.entries.get(*n).is_some_and(|entry| !has_failed_long || !is_late(entry.at_ms));
        let (again, given_up): (Vec<usize>, Vec<usize>) = entries.iter().copied().partition(is_tried_again);
        let cause = error.operator_message();
        tracing::error!(alarm = true, what, cause, given_up = given_up.len(), "calls that have ended were not counted");
        self.left.entries.extend(again);
        self.left.has_failed = true;
    }

    /// Counts in days that are over. Of the whole deployment, only the ends of calls are counted: those that their sellers' days do not
    /// know. A call that is only paid back late is known there, and the deployment's day, which is large, is not read for it.
    async fn count_in_days(&mut self, days: &BTreeMap<(ProfileId, i32), Vec<Counting<'_>>>) {
        let mut of_all: BTreeMap<i32, Vec<Counting>> = BTreeMap::new();
        let mut of_sellers: Vec<(ProfileId, i32, &[Counting])> = Vec::new();
        for ((seller, day), countings) in days {
            let ends: Vec<EventId> =
                countings.iter().filter(|counting| counting.is_end).map(|counting| counting.event.id).collect();
            match self.store.unknown_in_day(Whose::Seller(*seller), *day, &ends).await {
                Ok(unknown) => {
                    let is_unknown = |counting: &&Counting| counting.is_end && unknown.contains(&counting.event.id);
                    let unknown: Vec<Counting> = countings.iter().filter(is_unknown).copied().collect();
                    if !unknown.is_empty() {
                        of_all.entry(*day).or_default().extend(unknown);
                    }
                    of_sellers.push((*seller, *day, countings));
                }
                Err(error) => self.failed(&entries_of(countings), &format!("the day {day} of {seller}"), &error.into()),
            }
        }
        // First, because what a seller's day knows is not counted here any more.
        for (day, countings) in &of_all {
            let counted = self.store.count_in_day(Whose::All, *day, |counted| add_all(counted, countings));
            if let Err(error) = counted.await {
                self.failed(&entries_of(countings), &format!("the day {day} of the deployment"), &error.into());
            }
        }
        for (seller, day, countings) in of_sellers {
            // What the deployment's day is to be tried with again must stay unknown here.
            let now: Vec<Counting> =
                countings.iter().filter(|counting| !self.left.entries.contains(&counting.entry)).copied().collect();
            if now.is_empty() {
                continue;
            }
            let counted = self.store.count_in_day(Whose::Seller(seller), day, |counted| {
                now.iter().fold(false, |is_new, of| counted.count(&of.event, of.call, of.is_end) | is_new)
            });
            if let Err(error) = counted.await {
                self.failed(&entries_of(&now), &format!("the day {day} of {seller}"), &error.into());
            }
        }
    }
}

fn add_all(counted: &mut Day, countings: &[Counting<'_>]) -> bool {
    countings.iter().fold(false, |is_new, of| counted.count_for_all(&of.event, of.call, of.is_end) | is_new)
}

fn add(counted: &mut Parts, whose: Whose, countings: &[Counting<'_>]) -> bool {
    let mut is_new = false;
    for Counting { event, call, is_end, .. } in countings {
        is_new |= match whose {
            Whose::Seller(_) => counted.count(event, call, *is_end),
            Whose::All => counted.count_for_all(event, call, *is_end),
        };
    }
    is_new
}

/// What follows from a slice is written before the slice: if the process dies in between, the next run does it again.
async fn count_in_slice(
    store: &Store,
    whose: Whose,
    slice: (i64, u8),
    countings: &[Counting<'_>],
    now_ms: i64,
) -> std::result::Result<(), StoreError> {
    retry_on_conflict(|| async {
        let mut read = store.slice(whose, slice.0, slice.1).await?;
        let payers = read.counted.all().iter().flat_map(|part| part.book.payers.iter());
        let known: BTreeSet<ProfileId> =
            payers.filter(|(_, _, facts)| facts.bought > 0 || facts.unserved > 0).map(|(_, payer, _)| payer).collect();
        if !add(&mut read.counted, whose, countings) {
            return Ok(());
        }
        if let Whose::Seller(seller) = whose {
            let paid = countings.iter().filter(|counting| counting.call.payment.is_some());
            let payers: BTreeSet<ProfileId> = paid.map(|counting| counting.call.buyer).collect();
            for payer in payers.difference(&known) {
                store.note_paid(*payer, seller, slice.0).await?;
            }
        }
        if read.is_new() {
            store.schedule_stats(whose, day_start_ms(day_of(now_ms) + 1) + FOLDED_AT_MS).await?;
        }
        store.put_slice(&read).await
    })
    .await
}

/// If a delivered call was paid back or reversed, the review that is based on it loses half its voice, or all of it.
async fn note_evidence(store: &Store, call: &Call, now_ms: i64) -> Result<()> {
    let is_reversed = call.payment.as_ref().is_some_and(|payment| payment.state == PaymentState::Refunded);
    let evidence = match call.state {
        CallState::Delivered { .. } if is_reversed => EvidenceState::Reversed,
        CallState::Delivered { .. } if call.debts.seller != Settlement::Open => EvidenceState::PaidBack,
        _ => return Ok(()),
    };
    let Some(before) = store.review_with_evidence(call).await? else { return Ok(()) };
    if before.opinion.evidence != call.id {
        return Ok(());
    }
    if let Some(after) = before.clone().with_evidence_state(evidence)
        && !store.update_review(&before, &after, now_ms).await?
    {
        return Err(StoreError::Conflict.into());
    }
    Ok(())
}
