//! `crochet-admin profiles export`: what is stored about a person or an agent.

use crochet::app::App;
use crochet::store::StoreError;
use crochet::wire::listing::ListingView;
use crochet_domain::call::Call;
use crochet_domain::ids::ProfileId;
use crochet_domain::review::Review;
use crochet_domain::score::fade::{day_of, day_start_ms};
use crochet_domain::session::Session;
use crochet_domain::timestamp::{from_unix_ms, rfc3339, unix_ms};
use serde_json::{Value, json};

use crate::table::json as to_json;
use crate::{access, person};

/// Most days of a score's history: they are kept for two years.
const SCORE_DAYS: i32 = 731;

/// Everything that is stored about a profile, as JSON. Hashes of keys and sessions, and endpoints with their secrets, are left out; bodies
/// and responses of calls are not stored for longer than two days, and are left out too.
///
/// # Errors
/// One sentence that says why it was not done.
pub(crate) async fn profile(app: &App, id: ProfileId) -> Result<String, String> {
    let failed = |error: StoreError| error.to_string();
    let (store, today) = (&app.store, day_of(unix_ms(app.clock.now())));
    let profile = person::read(app, id).await?;
    let passkeys = store.passkeys(id).await.map_err(failed)?;
    let passkeys = passkeys.iter().flat_map(|known| &known.passkeys);
    let keys: Value = serde_json::from_str(&access::show(app, id, true).await?).map_err(|error| error.to_string())?;
    let sessions = store.sessions_of(id).await.map_err(failed)?;
    let listings = store.listings_of(id).await.map_err(failed)?;
    let agents = store.claims_of(id).await.map_err(failed)?;
    let calls = person::calls(app, id).await.map_err(failed)?;
    let ledger = person::ledger(app, id).await.map_err(failed)?;
    let debts = store.debts_of(id).await.map_err(failed)?;
    let refunds = store.paid_refunds(id).await.map_err(failed)?;
    let scores = store.score_history(id, today, SCORE_DAYS).await.map_err(failed)?;
    let answers = person::answered(app, id).await.map_err(failed)?;
    let mut reviews = Vec::new();
    for review in person::reviews(app, id).await.map_err(failed)? {
        let earlier = store.earlier_opinions(&review).await.map_err(failed)?;
        reviews.push(json!({ "review": review, "earlier": earlier }));
    }
    to_json(&json!({
        "profile": profile,
        "passkeys": passkeys.map(|one| json!({ "name": one.name, "created_at": at(one.created_ms) })).collect::<Vec<_>>(),
        "keys": keys,
        "sessions": sessions.iter().map(session).collect::<Vec<_>>(),
        "agents": agents,
        "listings": listings.iter().map(|listing| ListingView::whole(listing, &app.config)).collect::<Vec<_>>(),
        "calls": calls.iter().map(|one| call(one, id)).collect::<Vec<_>>(),
        "ledger": ledger,
        "debts": debts,
        "refunds": refunds,
        "reviews": reviews,
        "answers": answers.iter().map(answer).collect::<Vec<_>>(),
        "scores": scores.iter().map(|day| json!({ "day": at(day_start_ms(day.day)), "score": day.value, "parts": day.parts })).collect::<Vec<_>>(),
    }))
}

fn at(ms: i64) -> String {
    rfc3339(from_unix_ms(ms))
}

fn session(session: &Session) -> Value {
    json!({
        "opened_with": session.opened_with.as_str(), "created_at": at(session.created_ms), "last_seen_at": at(session.seen_ms),
        "expires_at": at(session.expires_ms()),
    })
}

/// A call as one of its parties may see it: the Idempotency-Key is the buyer's text.
fn call(call: &Call, seen_by: ProfileId) -> Value {
    json!({
        "id": call.id.to_string(), "listing": call.listing.id, "state": call.state.as_str(), "price": call.split.price,
        "buyer": call.buyer, "seller": call.seller, "created_at": at(call.created_ms), "settled_at": call.settled_ms.map(at),
        "payment_id": call.payment.as_ref().map(|payment| payment.id.as_str()),
        "paid_from": call.payment.as_ref().map(|payment| payment.pay_from.address.as_str()),
        "idempotency_key": call.idempotency_key.as_ref().filter(|_| call.buyer == seen_by),
        "attempts": call.attempts,
        "refund": call.debts.refund,
    })
}

fn answer(review: &Review) -> Value {
    json!({ "listing": review.listing, "review": review.id, "answer": review.answer })
}
