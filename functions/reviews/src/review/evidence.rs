//! The call that shows that an author was served.

use crochet::app::App;
use crochet::http::{ApiError, Code, Result};
use crochet::store::review::EVIDENCE_CALLS;
use crochet_domain::call::Call;
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::review::{EVIDENCE_MS, NotEvidence, judge};

/// Calls that were created longer before the evidence must be delivered than any call stays open: 31 days.
const OPEN_MS: i64 = 31 * 24 * 3_600_000;

/// The newest evidence among the author's calls at the listing. `after_ms` is when the author's review was last written.
///
/// # Errors
/// Of the reasons why no call is evidence, the one that comes closest.
pub(super) async fn evidence(app: &App, author: ProfileId, listing: ListingId, after_ms: Option<i64>, now_ms: i64) -> Result<Call> {
    let mut closest = NotEvidence::NoPurchase;
    let mut before: Option<String> = None;
    let mut read = 0;
    while read < EVIDENCE_CALLS {
        let page = app.store.calls_at(author, listing, before.as_deref()).await?;
        read += page.read;
        let is_too_old = page.oldest_ms().is_none_or(|oldest| oldest < now_ms - EVIDENCE_MS - OPEN_MS);
        before = page.oldest;
        for call in page.calls {
            match judge(&call, after_ms, now_ms) {
                Ok(()) => return Ok(call),
                Err(why) => closest = closest.max(why),
            }
        }
        // What is older is too old, whatever it is. One more page tells an old purchase from none.
        if before.is_none() || (is_too_old && closest > NotEvidence::NoPurchase) {
            break;
        }
    }
    Err(refused(closest))
}

/// The error for this reason.
pub(super) fn refused(why: NotEvidence) -> ApiError {
    let code = match why {
        NotEvidence::NoPurchase => Code::ReviewWithoutPurchase,
        NotEvidence::Free => Code::ReviewFreeCall,
        NotEvidence::NotDelivered => Code::ReviewUndelivered,
        NotEvidence::Reversed => Code::ReviewReversed,
        NotEvidence::Refunded => Code::ReviewRefunded,
        NotEvidence::TooOld => Code::ReviewTooLate,
        NotEvidence::Used => Code::ReviewEvidenceUsed,
    };
    ApiError::new(code).detail("evidence_days", EVIDENCE_MS / (24 * 3_600_000))
}
