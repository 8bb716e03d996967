//! `crochet-admin profiles export` and `erase`: what is stored about a person or an agent, and its end.

use crochet::app::App;
use crochet::store::StoreError;
use crochet::store::claim::ReleaseError;
use crochet::store::history::{HistoryPage, Side};
use crochet::store::retry::retry_on_conflict;
use crochet_domain::call::{Call, CallState};
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::money::Micros;
use crochet_domain::profile::{AccountType, Profile};
use crochet_domain::review::Review;
use crochet_domain::suspension::SuspendedReason;
use crochet_domain::timestamp::{from_unix_ms, rfc3339, unix_ms};
use serde_json::{Value, json};

use crate::table::json as to_json;
use crate::{access, suspend};

/// Items of a page of a history.
const PAGE: usize = 100;

/// Everything that is stored about a profile, as JSON. Hashes of keys and sessions are left out; bodies and responses of calls are not
/// stored for longer than two days, and are left out too.
///
/// # Errors
/// One sentence that says why it was not done.
pub(crate) async fn export(app: &App, id: ProfileId) -> Result<String, String> {
    let failed = |error: StoreError| error.to_string();
    let profile = read(app, id).await?;
    let passkeys = app.store.passkeys(id).await.map_err(failed)?;
    let passkeys = passkeys.iter().flat_map(|known| &known.passkeys);
    let keys: Value = serde_json::from_str(&access::show(app, id, true).await?).map_err(|error| error.to_string())?;
    let listings = app.store.listings_of(id).await.map_err(failed)?;
    let agents = app.store.claims_of(id).await.map_err(failed)?;
    let calls: Vec<Value> = calls(app, id).await.map_err(failed)?.iter().map(shown).collect();
    let ledger = ledger(app, id).await.map_err(failed)?;
    let reviews = reviews(app, id).await.map_err(failed)?;
    to_json(&json!({
        "profile": profile,
        "passkeys": passkeys.map(|one| json!({ "name": one.name, "created_at": at(one.created_ms) })).collect::<Vec<_>>(),
        "keys": keys, "agents": agents, "listings": listings, "calls": calls, "ledger": ledger, "reviews": reviews,
    }))
}

fn at(ms: i64) -> String {
    rfc3339(from_unix_ms(ms))
}

fn shown(call: &Call) -> Value {
    json!({
        "id": call.id.to_string(), "listing": call.listing.id, "state": call.state.as_str(), "price": call.split.price,
        "buyer": call.buyer, "seller": call.seller, "created_at": at(call.created_ms), "settled_at": call.settled_ms.map(at),
        "payment_id": call.payment.as_ref().map(|payment| payment.id.as_str()),
        "paid_from": call.payment.as_ref().map(|payment| payment.pay_from.address.as_str()),
    })
}

/// Erases a profile. First it is suspended, so that nothing new begins; then what is open must end. It can be repeated until it is done.
///
/// # Errors
/// One sentence that says why it was not done, or not to the end.
pub(crate) async fn erase(app: &App, id: ProfileId) -> Result<String, String> {
    suspend::profile(app, id, Some(SuspendedReason::Other)).await?;
    let profile = read(app, id).await?;
    if profile.standing.owes > Micros::ZERO {
        return Err(format!(
            "The profile {id} is suspended, and not erased: it owes {} USD to buyers.",
            profile.standing.owes.decimal()
        ));
    }
    let open = calls(app, id).await.map_err(|error| error.to_string())?.iter().filter(|call| is_open(call)).count();
    if open > 0 {
        return Err(format!(
            "The profile {id} is suspended, and not erased: {open} of its calls are open. Repeat this when they have ended."
        ));
    }
    access::revoke(app, id, None).await?;
    let erased = erase_all(app, &profile).await.map_err(|error| format!("Not everything was erased: {error}. Repeat this."))?;
    Ok(format!("The profile {id} is erased, with {} listings and {} reviews. The ledger stays.\n", erased.0, erased.1))
}

/// Whether something may still become of the call.
fn is_open(call: &Call) -> bool {
    !matches!(call.state, CallState::Delivered { .. } | CallState::Undelivered | CallState::Expired)
}

/// How many listings and reviews were erased.
async fn erase_all(app: &App, profile: &Profile) -> Result<(usize, usize), StoreError> {
    let (id, now_ms) = (profile.id, unix_ms(app.clock.now()));
    let listings = app.store.listing_ids_of(id).await?;
    for listing in &listings {
        erase_listing(app, *listing, now_ms).await?;
    }
    let reviews = reviews(app, id).await?;
    for review in &reviews {
        erase_review(app, review, now_ms).await?;
    }
    let claims = app.store.claims_of(id).await?.into_iter().map(|agent| (agent, id));
    for (agent, person) in claims.chain(profile.operator.map(|person| (id, person))) {
        match app.store.release_claim(agent, person).await {
            Ok(()) | Err(ReleaseError::NotOperator) => {}
            Err(ReleaseError::Store(error)) => return Err(error),
        }
    }
    let erased = retry_on_conflict(|| async {
        let Some(before) = app.store.profile(id).await? else { return Ok(None) };
        let passkeys = if before.account_type == AccountType::Human { app.store.passkeys(id).await? } else { None };
        let erased = before.clone().erased();
        app.store.erase_profile(&before, &erased, passkeys.as_ref()).await?;
        Ok::<_, StoreError>(Some(erased))
    })
    .await?;
    if let Some(erased) = erased {
        app.store.refresh_seller_summaries(&erased, app.clock.now()).await;
    }
    Ok((listings.len(), reviews.len()))
}

async fn erase_listing(app: &App, id: ListingId, now_ms: i64) -> Result<(), StoreError> {
    retry_on_conflict(|| async {
        let Some(mut listing) = app.store.listing(id).await? else { return Ok(()) };
        listing.erase();
        listing.touch(now_ms);
        if app.store.update_listing(&listing).await? { Ok(()) } else { Err(StoreError::Conflict) }
    })
    .await
}

async fn erase_review(app: &App, review: &Review, now_ms: i64) -> Result<(), StoreError> {
    retry_on_conflict(|| async {
        let Some(before) = app.store.review(review.listing, review.author).await? else { return Ok(()) };
        let erased = before.clone().erased(now_ms);
        if !app.store.update_review(&before, &erased, now_ms).await? {
            return Err(StoreError::Conflict);
        }
        app.store.forget_earlier_versions(&erased).await
    })
    .await
}

pub(crate) async fn read(app: &App, id: ProfileId) -> Result<Profile, String> {
    let profile = app.store.profile(id).await.map_err(|error| error.to_string())?;
    profile.ok_or_else(|| format!("There is no profile {id}."))
}

async fn reviews(app: &App, author: ProfileId) -> Result<Vec<Review>, StoreError> {
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

async fn calls(app: &App, profile: ProfileId) -> Result<Vec<Call>, StoreError> {
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

async fn ledger(app: &App, profile: ProfileId) -> Result<Vec<Value>, StoreError> {
    let (mut all, mut before) = (Vec::new(), None::<String>);
    loop {
        let page = HistoryPage { profile, side: Side::All, before: before.as_deref(), now: app.clock.now(), limit: PAGE };
        let records = app.store.ledger_history(page).await?;
        before = records.last().map(crochet_domain::call::ledger::LedgerRecord::id);
        let is_last = records.len() < PAGE;
        for record in records {
            all.push(serde_json::to_value(record).map_err(|error| StoreError::Defect(error.to_string()))?);
        }
        if is_last {
            return Ok(all);
        }
    }
}
