//! Once a day for each seller with calls: folds the days that are over, and renews figures, which age without calls.

use std::collections::BTreeSet;

use crochet::http::Result;
use crochet::store::keys::Whose;
use crochet_domain::ids::ListingId;
use crochet_domain::score::fade::{DAYS, day_of, day_start_ms};
use crochet_domain::timestamp::unix_ms;

use crate::state::State;

/// Time after midnight at which days are folded: 20 minutes.
pub(crate) const FOLDED_AT_MS: i64 = 20 * 60_000;
/// Days of what was counted that are read here: one more than figures are about, so that what has just left them is noticed.
const READ_DAYS: i32 = DAYS + 2;
/// Time after which a day that could not be folded is tried again: an hour.
const TRIED_AGAIN_MS: i64 = 3_600_000;

/// Folds what may be folded, renews the figures of every listing with calls, and notes the next day.
///
/// # Errors
/// Those of the store; it stays due. A day that cannot be folded holds nothing else up, and is tried again in an hour.
pub(crate) async fn fold_due(state: &State, whose: Whose) -> Result<()> {
    let store = &state.app.store;
    let now_ms = unix_ms(state.app.clock.now());
    let today = day_of(now_ms);
    let mut unfolded = None;
    for day in store.unfolded_days(whose, now_ms).await? {
        if let Err(error) = store.fold(whose, day).await {
            tracing::error!(alarm = true, ?whose, day, %error, "a day of counts was not folded");
            unfolded = Some(error);
        }
    }
    let books = store.books(whose, today - READ_DAYS + 1, today).await?;
    if let Whose::Seller(seller) = whose {
        let listings: BTreeSet<ListingId> = books.values().flat_map(|book| book.listings.keys().copied()).collect();
        let listings: Vec<ListingId> = listings.into_iter().collect();
        store.refresh_figures(seller, &listings, now_ms).await?;
    }
    let next = if unfolded.is_some() { now_ms + TRIED_AGAIN_MS } else { day_start_ms(today + 1) + FOLDED_AT_MS };
    store.reschedule_stats(whose, (!books.is_empty()).then_some(next)).await?;
    // A run that counted meanwhile has found the note that was just removed.
    if books.is_empty() && !store.books(whose, today - READ_DAYS + 1, today).await?.is_empty() {
        store.schedule_stats(whose, next).await?;
    }
    match unfolded {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}
