//! Who has bought what from whom, as statistics have counted it.

use crochet::app::App;
use crochet::http::Result;
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::Profile;

/// Whether `buyer` has bought from `seller` within 91 days.
pub(crate) async fn has_bought(app: &App, seller: &Profile, buyer: ProfileId, now_ms: i64) -> Result<bool> {
    let _ = (app, seller, buyer, now_ms);
    Ok(false)
}

/// What a review by `author` weighs if it is written now, with this evidence.
pub(crate) async fn voice(
    app: &App,
    author: &Profile,
    evidence: &crochet_domain::call::Call,
    now_ms: i64,
) -> Result<i64> {
    let _ = (app, author, now_ms);
    Ok((evidence.split.fee.0 * 1_000 / 4_900).min(1_000))
}
