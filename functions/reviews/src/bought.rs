//! Who has bought what from whom, as it was counted. It is at most two minutes behind.

use std::collections::BTreeSet;

use crochet::app::App;
use crochet::http::Result;
use crochet::store::keys::Whose;
use crochet_domain::call::Call;
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::Profile;
use crochet_domain::score::fade::{DAYS, day_of};
use crochet_domain::score::milli;
use crochet_domain::score::review::voice as voice_of;

/// Whether `buyer` has paid `seller` within 91 days.
pub(crate) async fn has_bought(app: &App, seller: ProfileId, buyer: ProfileId, now_ms: i64) -> Result<bool> {
    let last = app.store.last_paid(buyer, seller).await?;
    Ok(last.is_some_and(|day| day > day_of(now_ms) - DAYS))
}

/// What a review by `author` weighs if it is written now, with this evidence: what the author, and all agents of its operator, have
/// bought from the seller within 91 days.
pub(crate) async fn voice(app: &App, author: &Profile, evidence: &Call, now_ms: i64) -> Result<i64> {
    let mut cluster = BTreeSet::from([author.id]);
    if let Some(operator) = author.operator {
        cluster.extend(app.store.claims_of(operator).await?);
    }
    let today = day_of(now_ms);
    let books = app.store.books(Whose::Seller(evidence.seller), today - DAYS + 1, today).await?;
    let facts = books.values().flat_map(|book| book.payers.iter());
    let bought: i64 = facts.filter(|(_, payer, _)| cluster.contains(payer)).map(|(_, _, facts)| facts.bought).sum();
    // The evidence itself may have been delivered so lately that it is not counted yet.
    Ok(voice_of(bought.max(milli(evidence.split.fee, app.config.unit_fee))))
}
