//! Counts calls that have ended, from their log: once a minute, for the statistics of listings and for scores.
//!
//! Every event is counted once, whatever is read twice, late, out of order or by two runs. The position in the log is written last.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crochet::http::Result;
use crochet::store::keys::{ALL_PARTS, DUE_SHARDS, Whose};
use crochet::store::retry::retry_on_conflict;
use crochet::store::stats_log::{LogEntry, Logged};
use crochet::store::{Store, StoreError};
use crochet_domain::call::ledger::Settlement;
use crochet_domain::call::{Call, CallKey, CallState, PaymentState};
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::money::Micros;
use crochet_domain::review::EvidenceState;
use crochet_domain::score::Event;
use crochet_domain::score::event::events;
use crochet_domain::score::fade::{day_of, day_start_ms};
use crochet_domain::stats::{Counted, Place, place, slice_start_ms};
use crochet_domain::timestamp::unix_ms;

use crate::state::State;

/// How far before the position the log is read again: its index may lag a moment behind.
const OVERLAP_MS: i64 = 2 * 60_000;
/// Entries of one shard that are read at once.
const PAGE: i32 = 500;
/// Time after midnight at which days are folded: 20 minutes.
pub(crate) const FOLDED_AT_MS: i64 = 20 * 60_000;
/// How often the figures of the deployment are written: hourly.
const TOTAL_EVERY_MS: i64 = 3_600_000;

/// An event, and the call that it is of.
struct Counting<'a> {
    event: Event,
    call: &'a Call,
    is_end: bool,
}

/// Counts what the log holds beyond the last position. Returns the number of entries.
///
/// # Errors
/// Those of the store. What was counted is counted; the next run goes on.
pub(crate) async fn count(state: &State, until: Instant) -> Result<usize> {
    let store = &state.app.store;
    let position = store.log_position().await?.min(unix_ms(state.app.clock.now()));
    let mut from_ms = (position - OVERLAP_MS).max(0);
    let mut counted = 0;
    loop {
        let now_ms = unix_ms(state.app.clock.now());
        let (entries, to_ms) = read(store, from_ms, now_ms).await?;
        let fresh = state.counted.without_known(entries);
        let waiting_ms = count_entries(store, &fresh, state.app.config.unit_fee, now_ms).await?;
        counted += fresh.len();
        if let Some(waiting_ms) = waiting_ms {
            store.put_log_position(waiting_ms.min(position)).await?;
            break;
        }
        state.counted.remember(fresh, to_ms - OVERLAP_MS);
        store.put_log_position(to_ms.max(position)).await?;
        if to_ms >= now_ms || Instant::now() >= until {
            break;
        }
        from_ms = to_ms + 1;
    }
    write_total(store, unix_ms(state.app.clock.now())).await?;
    Ok(counted)
}

/// The entries from `from_ms` on, and the time up to which these are all.
async fn read(store: &Store, from_ms: i64, now_ms: i64) -> Result<(Vec<LogEntry>, i64)> {
    let shards = (0..DUE_SHARDS).map(|shard| store.ended(shard, from_ms, now_ms, PAGE));
    let pages = futures::future::try_join_all(shards).await?;
    let is_full = |page: &&Vec<LogEntry>| page.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
    // Of the last millisecond of a full page, more may follow.
    let ends = pages.iter().filter(is_full).filter_map(|page| page.last()).map(|last| last.at_ms - 1);
    let to_ms = ends.min().map_or(now_ms, |end| end.max(from_ms));
    Ok((pages.into_iter().flatten().filter(|entry| entry.at_ms <= to_ms).collect(), to_ms))
}

/// Counts these entries. Returns the time of the first that has to wait for its day to be folded.
async fn count_entries(store: &Store, entries: &[LogEntry], unit_fee: Micros, now_ms: i64) -> Result<Option<i64>> {
    let mut touched: BTreeMap<ProfileId, BTreeSet<ListingId>> = BTreeMap::new();
    let keys: Vec<CallKey> = entries
        .iter()
        .filter_map(|entry| match &entry.logged {
            Logged::Call(key) => Some(key.clone()),
            Logged::Review(..) => None,
        })
        .collect();
    let calls = store.calls(&keys).await?;
    let mut slices: BTreeMap<(Whose, i64, u8), Vec<Counting>> = BTreeMap::new();
    let mut days: BTreeMap<(Whose, i32), Vec<Counting>> = BTreeMap::new();
    let mut deferred = false;
    for call in &calls {
        touched.entry(call.seller).or_default().insert(call.listing.id);
        note_evidence(store, call, now_ms).await?;
        for (n, event) in events(call, unit_fee).into_iter().enumerate() {
            for whose in [Whose::Seller(call.seller), Whose::All] {
                let counting = Counting { event, call, is_end: n == 0 };
                let part = if whose == Whose::All { event.id[0] % ALL_PARTS } else { 0 };
                match place(event.at_ms, now_ms) {
                    Place::Slice => slices.entry((whose, slice_start_ms(event.at_ms), part)).or_default().push(counting),
                    Place::Day => days.entry((whose, day_of(event.at_ms))).or_default().push(counting),
                    Place::Later => deferred = true,
                }
            }
        }
    }
    for ((whose, at_ms, part), countings) in &slices {
        count_in_slice(store, *whose, (*at_ms, *part), countings, now_ms).await?;
    }
    for ((whose, day), countings) in &days {
        store.count_in_day(*whose, *day, |counted| add(counted, *whose, countings)).await?;
    }
    for entry in entries {
        if let Logged::Review(listing, _) = entry.logged
            && let Some(listing) = store.listing(listing).await?
        {
            touched.entry(listing.seller.id).or_default().insert(listing.id);
        }
    }
    for (seller, listings) in touched {
        let listings: Vec<ListingId> = listings.into_iter().collect();
        store.refresh_figures(seller, &listings, now_ms).await?;
    }
    Ok(if deferred { entries.iter().map(|entry| entry.at_ms).min() } else { None })
}

fn add(counted: &mut Counted, whose: Whose, countings: &[Counting]) -> bool {
    let mut is_new = false;
    for Counting { event, call, is_end } in countings {
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
        let payers = read.counted.book.payers.iter();
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

/// Writes the figures of the whole deployment, once an hour.
async fn write_total(store: &Store, now_ms: i64) -> Result<()> {
    let written = store.total_stats().await?;
    if written.is_some_and(|(_, written_ms)| written_ms / TOTAL_EVERY_MS >= now_ms / TOTAL_EVERY_MS) {
        return Ok(());
    }
    let today = day_of(now_ms);
    let first = today - crochet_domain::stats::WINDOW_DAYS + 1;
    let books = store.books(Whose::All, first, today).await?;
    let all = ListingId::from_bytes([0; 16]);
    store.put_total_stats(crochet::store::figures::report_of(&books, all, today), now_ms).await?;
    Ok(())
}
