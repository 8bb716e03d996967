//! Comparing what was counted with the calls themselves.

use std::collections::{BTreeMap, BTreeSet};

use crochet::app::App;
use crochet::store::StoreError;
use crochet::store::keys::Whose;
use crochet_domain::call::CallKey;
use crochet_domain::ids::ProfileId;
use crochet_domain::score::event::events;
use crochet_domain::score::facts::{Counted, PayerFacts};
use crochet_domain::score::fade::day_of;
use crochet_domain::timestamp::unix_ms;
use futures::stream::{self, StreamExt, TryStreamExt};

/// Longest time from a call's creation to its end, in days: 30 days unpresented, and the day of its quote.
const LONGEST_CALL_DAYS: i32 = 31;
/// Days of a seller's history that are read at the same time.
const DAYS_AT_ONCE: usize = 8;
/// What changed less than this ago may not be counted yet: 5 minutes.
const COUNTED_WITHIN_MS: i64 = 5 * 60_000;

/// Compares the days from `first` to the day before yesterday with the calls of the seller, to the integer. What differs raises an
/// alarm and is replaced. Returns how many days differed.
pub(crate) async fn compare(app: &App, seller: ProfileId, first: i32) -> Result<usize, StoreError> {
    let now_ms = unix_ms(app.clock.now());
    let last = day_of(now_ms) - 2;
    let books = app.store.books(Whose::Seller(seller), first, last).await?;
    let Derived { days: mut differing, unsettled } = derived(app, seller, first, last, now_ms).await?;
    for day in books.keys() {
        differing.entry(*day).or_default();
    }
    let nothing = PayerFacts::default();
    differing
        .retain(|day, counted| !unsettled.contains(day) && books.get(day).map_or(&nothing, |book| &book.payers) != &counted.payers);
    for (day, counted) in &differing {
        tracing::error!(alarm = true, %seller, day, "what was counted of a day differs from the calls, and is replaced");
        let whose = Whose::Seller(seller);
        let replace = |stored: &mut crochet_domain::stats::Counted| {
            stored.book.payers = counted.payers.clone();
            stored.seen.extend(&counted.seen);
            true
        };
        app.store.count_in_day(whose, *day, replace).await?;
    }
    Ok(differing.len())
}

/// What calls come to, by the day of their end.
#[derive(Default)]
struct Derived {
    days: BTreeMap<i32, Counted>,
    /// Days of calls that have just changed.
    unsettled: BTreeSet<i32>,
}

/// What the calls come to that ended from `first` to `last`.
async fn derived(app: &App, seller: ProfileId, first: i32, last: i32, now_ms: i64) -> Result<Derived, StoreError> {
    let days = ((first - LONGEST_CALL_DAYS)..=last).map(|day| app.store.calls_sold_on(seller, day));
    let sold: Vec<Vec<CallKey>> = stream::iter(days).buffer_unordered(DAYS_AT_ONCE).try_collect().await?;
    let keys = sold.concat();
    let mut derived = Derived::default();
    for batch in keys.chunks(100) {
        for call in app.store.calls(batch).await? {
            let changed_ms = call.debts.changed_ms.unwrap_or(0).max(call.updated_ms);
            for event in events(&call, app.config.unit_fee) {
                let day = day_of(event.at_ms);
                if (first..=last).contains(&day) {
                    derived.days.entry(day).or_default().count(&event);
                    if changed_ms > now_ms - COUNTED_WITHIN_MS {
                        derived.unsettled.insert(day);
                    }
                }
            }
        }
    }
    Ok(derived)
}
