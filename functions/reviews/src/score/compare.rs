//! Comparing what was counted with the calls themselves.

use std::collections::{BTreeMap, BTreeSet};

use crochet::app::App;
use crochet::store::StoreError;
use crochet::store::keys::Whose;
use crochet_domain::call::{Call, CallKey};
use crochet_domain::ids::ProfileId;
use crochet_domain::money::Micros;
use crochet_domain::score::event::{EventId, events};
use crochet_domain::score::facts::PayerFacts;
use crochet_domain::score::fade::day_of;
use crochet_domain::timestamp::unix_ms;
use futures::stream::{self, StreamExt, TryStreamExt};

/// Longest time from a call's creation to its end, in days: 30 days unpresented, and the day of its quote.
const LONGEST_CALL_DAYS: i32 = 31;
/// Days of a seller's history whose first pages are read at the same time.
const DAYS_AT_ONCE: usize = 8;
/// Calls that are read with one request, and requests at the same time.
const BATCH: usize = 100;
const BATCHES_AT_ONCE: usize = 4;
/// What changed less than this ago may not be counted yet: 5 minutes.
const COUNTED_WITHIN_MS: i64 = 5 * 60_000;

/// Compares the days from `first` to the day before yesterday with the calls of the seller, to the integer. What differs raises an
/// alarm and is replaced. Returns how many days differed.
pub(crate) async fn compare(app: &App, seller: ProfileId, first: i32) -> Result<usize, StoreError> {
    let now_ms = unix_ms(app.clock.now());
    let last = day_of(now_ms) - 2;
    let books = app.store.books(Whose::Seller(seller), first, last).await?;
    let mut derived = Derived { first, last, now_ms, ..Derived::default() };
    derived.read(app, seller).await?;
    let nothing = PayerFacts::default();
    let stored = |day: &i32| books.get(day).map_or(&nothing, |book| &book.payers);
    let days: BTreeSet<i32> = books.keys().chain(derived.days.keys()).copied().collect();
    let differing: BTreeSet<i32> = days.into_iter().filter(|day| derived.differs(*day, stored(day))).collect();
    if differing.is_empty() {
        return Ok(0);
    }
    // The events of all days are kept only where they are needed: a seller may have millions of them.
    let mut derived = Derived { first, last, now_ms, with_events: differing.clone(), ..Derived::default() };
    derived.read(app, seller).await?;
    let replaced: Vec<i32> = differing.into_iter().filter(|day| derived.differs(*day, stored(day))).collect();
    for day in &replaced {
        tracing::error!(alarm = true, %seller, day, "what was counted of a day differs from the calls, and is replaced");
        let payers = derived.days.remove(day).unwrap_or_default();
        let seen = derived.events.remove(day).unwrap_or_default();
        app.store.replace_payers(Whose::Seller(seller), *day, &payers, &seen).await?;
    }
    Ok(replaced.len())
}

/// What calls come to that ended from `first` to `last`, by the day of their end.
#[derive(Default)]
struct Derived {
    first: i32,
    last: i32,
    now_ms: i64,
    /// Days whose events are kept.
    with_events: BTreeSet<i32>,
    days: BTreeMap<i32, PayerFacts>,
    events: BTreeMap<i32, BTreeSet<EventId>>,
    /// Days of calls that have just changed.
    unsettled: BTreeSet<i32>,
}

impl Derived {
    /// Adds the calls of the seller, page by page as they arrive, so that no number of calls fills the memory. A call is listed on one
    /// day, and has each event once.
    async fn read(&mut self, app: &App, seller: ProfileId) -> Result<(), StoreError> {
        let days = ((self.first - LONGEST_CALL_DAYS)..=self.last).map(|day| sold(app, seller, day, None));
        let mut first_pages = stream::iter(days).buffer_unordered(DAYS_AT_ONCE);
        while let Some((day, mut keys, mut next)) = first_pages.try_next().await? {
            loop {
                let batches: Vec<_> = keys.chunks(BATCH).map(|batch| app.store.calls(batch)).collect();
                let mut calls = stream::iter(batches).buffer_unordered(BATCHES_AT_ONCE);
                while let Some(calls) = calls.try_next().await? {
                    calls.iter().for_each(|call| self.add(call, app.config.unit_fee));
                }
                drop(calls);
                if next.is_none() {
                    break;
                }
                (_, keys, next) = sold(app, seller, day, next).await?;
            }
        }
        Ok(())
    }

    fn add(&mut self, call: &Call, unit_fee: Micros) {
        let changed_ms = call.debts.changed_ms.unwrap_or(0).max(call.updated_ms);
        for event in events(call, unit_fee) {
            let day = day_of(event.at_ms);
            if !(self.first..=self.last).contains(&day) {
                continue;
            }
            self.days.entry(day).or_default().add(&event);
            if self.with_events.contains(&day) {
                self.events.entry(day).or_default().insert(event.id);
            }
            if changed_ms > self.now_ms - COUNTED_WITHIN_MS {
                self.unsettled.insert(day);
            }
        }
    }

    fn differs(&self, day: i32, stored: &PayerFacts) -> bool {
        !self.unsettled.contains(&day) && self.days.get(&day).unwrap_or(&PayerFacts::default()) != stored
    }
}

/// A page of the calls of a seller that were created on a day, and where the next page begins.
async fn sold(
    app: &App,
    seller: ProfileId,
    day: i32,
    from: Option<String>,
) -> Result<(i32, Vec<CallKey>, Option<String>), StoreError> {
    let (keys, next) = app.store.calls_sold_on(seller, day, from.as_deref()).await?;
    Ok((day, keys, next))
}
