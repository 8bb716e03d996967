//! What the table has of a person or an agent, read whole.

use crochet::app::App;
use crochet::store::StoreError;
use crochet::store::history::{HistoryPage, Side};
use crochet_domain::call::Call;
use crochet_domain::call::ledger::LedgerRecord;
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::Profile;
use crochet_domain::review::Review;

/// Items of a page of a history.
const PAGE: usize = 100;

/// The profile with this id.
///
/// # Errors
/// One sentence, if there is none, or the table cannot be read.
pub(crate) async fn read(app: &App, id: ProfileId) -> Result<Profile, String> {
    let profile = app.store.profile(id).await.map_err(|error| error.to_string())?;
    profile.ok_or_else(|| format!("There is no profile {id}."))
}

/// The reviews that it has written.
pub(crate) async fn reviews(app: &App, author: ProfileId) -> Result<Vec<Review>, StoreError> {
    let mut all = Vec::new();
    for page in 1.. {
        let (reviews, total) = app.store.reviews_by(author, page, PAGE).await?;
        all.extend(reviews);
        if page * PAGE >= total {
            break;
        }
    }
    Ok(all)
}

/// The reviews that it has answered.
pub(crate) async fn answered(app: &App, seller: ProfileId) -> Result<Vec<Review>, StoreError> {
    let mut received = app.store.all_reviews_of_seller(seller).await?;
    received.retain(|review| review.answer.is_some());
    Ok(received)
}

/// The calls that it has bought and sold, newest first.
pub(crate) async fn calls(app: &App, profile: ProfileId) -> Result<Vec<Call>, StoreError> {
    let (mut all, mut before) = (Vec::new(), None::<String>);
    loop {
        let page = HistoryPage { profile, side: Side::All, before: before.as_deref(), now: app.clock.now(), limit: PAGE };
        let calls = app.store.call_history(page).await?;
        before = calls.last().map(|call| call.id.to_string());
        let is_last = calls.len() < PAGE;
        all.extend(calls);
        if is_last {
            return Ok(all);
        }
    }
}

/// The ledger records in which it has a leg, newest first.
pub(crate) async fn ledger(app: &App, profile: ProfileId) -> Result<Vec<LedgerRecord>, StoreError> {
    let (mut all, mut before) = (Vec::new(), None::<String>);
    loop {
        let page = HistoryPage { profile, side: Side::All, before: before.as_deref(), now: app.clock.now(), limit: PAGE };
        let records = app.store.ledger_history(page).await?;
        before = records.last().map(LedgerRecord::id);
        let is_last = records.len() < PAGE;
        all.extend(records);
        if is_last {
            return Ok(all);
        }
    }
}
