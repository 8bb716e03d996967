//! `crochet-admin profiles erase`: the end of what is stored about a person or an agent.

use crochet::app::App;
use crochet::store::StoreError;
use crochet::store::claim::ReleaseError;
use crochet::store::retry::retry_on_conflict;
use crochet_domain::call::{Call, CallState};
use crochet_domain::debt::{Debt, standing};
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::profile::{AccountType, Profile};
use crochet_domain::review::Review;
use crochet_domain::suspension::SuspendedReason;
use crochet_domain::timestamp::{from_unix_ms, rfc3339, unix_ms};

use crate::{access, person, suspend};

/// Erases a profile. First it is suspended, so that nothing new begins; then what is open must end. It can be repeated until it is done.
///
/// # Errors
/// One sentence or more that say why it was not done, or not to the end, and what to wait for.
pub(crate) async fn profile(app: &App, id: ProfileId) -> Result<String, String> {
    let profile = person::read(app, id).await?;
    suspend::profile(app, id, profile.suspended.or(Some(SuspendedReason::Other))).await?;
    let calls = person::calls(app, id).await.map_err(|error| error.to_string())?;
    // After the calls: one that has closed has left its debt by the same write.
    let debts = app.store.debts_of(id).await.map_err(|error| error.to_string())?;
    if let Some(open) = what_is_open(&calls, &debts) {
        return Err(format!("The profile {id} is suspended, and not erased: {open}"));
    }
    let erased = erase_all(app, &profile).await.map_err(|error| format!("Not everything was erased: {error}. Repeat this."))?;
    let Erased { listings, reviews, answers } = erased;
    let secrets = match listings {
        0 => "",
        _ => " What Secrets Manager has of its endpoints is deleted by the next daily sweep.",
    };
    Ok(format!(
        "The profile {id} is erased, with {listings} listings, {reviews} reviews and {answers} answers. The ledger stays.{secrets}\n"
    ))
}

/// What has to end before a profile with these calls and debts is erased, and when that is at the latest. `None` if nothing has to.
fn what_is_open(calls: &[Call], debts: &[Debt]) -> Option<String> {
    let open: Vec<&Call> = calls.iter().filter(|call| call.is_open()).collect();
    let mut parts = Vec::new();
    if !debts.is_empty() {
        parts.push(format!(
            "It owes {} USD to buyers of {} calls, until it pays that back, which it can while it is suspended.",
            standing(debts).owes.decimal(),
            debts.len()
        ));
    }
    if !open.is_empty() {
        parts.push(format!("{} of its calls are open.", open.len()));
    }
    let (paid, unpaid): (Vec<&Call>, Vec<&Call>) = open.into_iter().partition(|call| call.settled_ms.is_some());
    let (coming, unpaid): (Vec<&Call>, Vec<&Call>) = unpaid.into_iter().partition(|call| call.state == CallState::Pending);
    let last = |calls: &[&Call]| calls.iter().filter_map(|call| call.open_until_ms()).max().map(|ms| rfc3339(from_unix_ms(ms)));
    if let Some(until) = last(&unpaid) {
        parts.push(format!(
            "Not paid, until {until}: {}. What is paid until then is open for 30 days more if nobody presents it.",
            unpaid.len()
        ));
    }
    if !coming.is_empty() {
        parts.push(format!("Deposit seen, until the provider says what became of it: {}.", coming.len()));
    }
    if let Some(until) = last(&paid) {
        parts.push(format!("Paid and not delivered, until {until}: {}.", paid.len()));
    }
    (!parts.is_empty()).then(|| format!("{} Repeat this then.", parts.join(" ")))
}

/// How much was erased with a profile.
struct Erased {
    listings: usize,
    reviews: usize,
    answers: usize,
}

async fn erase_all(app: &App, profile: &Profile) -> Result<Erased, StoreError> {
    let (id, now_ms) = (profile.id, unix_ms(app.clock.now()));
    if let Some(person) = profile.operator {
        release(app, id, person).await?;
    }
    // Nobody has a way in after the first round. Whoever still had one in it may have changed the profile: hence the second.
    for _ in 0..2 {
        access::end_all(app, profile).await?;
        erase_profile(app, id, now_ms).await?;
    }
    access::end_all(app, profile).await?;
    for agent in app.store.claims_of(id).await? {
        release(app, agent, id).await?;
    }
    let listings = app.store.listing_ids_of(id).await?;
    for listing in &listings {
        erase_listing(app, *listing, now_ms).await?;
    }
    let reviews = person::reviews(app, id).await?;
    for review in &reviews {
        erase_review(app, review, now_ms).await?;
    }
    let answered = person::answered(app, id).await?;
    for review in &answered {
        erase_answer(app, review, now_ms).await?;
    }
    Ok(Erased { listings: listings.len(), reviews: reviews.len(), answers: answered.len() })
}

async fn release(app: &App, agent: ProfileId, person: ProfileId) -> Result<(), StoreError> {
    match app.store.release_claim(agent, person).await {
        Ok(()) | Err(ReleaseError::NotOperator) => Ok(()),
        Err(ReleaseError::Store(error)) => Err(error),
    }
}

async fn erase_profile(app: &App, id: ProfileId, now_ms: i64) -> Result<(), StoreError> {
    let erased = retry_on_conflict(|| async {
        let Some(before) = app.store.profile(id).await? else { return Ok(None) };
        let passkeys = if before.account_type == AccountType::Human { app.store.passkeys(id).await? } else { None };
        let erased = before.clone().erased();
        app.store.erase_profile(&before, &erased, passkeys.as_ref()).await?;
        Ok::<_, StoreError>(Some(erased))
    })
    .await?;
    match erased {
        Some(erased) => app.store.try_refresh_seller_summaries(&erased, now_ms).await,
        None => Ok(()),
    }
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

async fn erase_answer(app: &App, review: &Review, now_ms: i64) -> Result<(), StoreError> {
    retry_on_conflict(|| async {
        let Some(before) = app.store.review(review.listing, review.author).await? else { return Ok(()) };
        let Some(unanswered) = before.clone().without_answer(now_ms) else { return Ok(()) };
        if app.store.update_review(&before, &unanswered, now_ms).await? { Ok(()) } else { Err(StoreError::Conflict) }
    })
    .await
}
