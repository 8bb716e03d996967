//! A new call. Nobody is asked to pay for a call that must fail.

use crate::call::key::CallKey;
use crate::call::step::{NewCall, Refusal, Step};
use crate::call::view::{BodyView, Race, RequestedCurrency, SchemaCheck, View};

/// Starts a new call.
pub(super) fn start(view: &View, new: NewCall) -> Step {
    if let Some(refused) = closed(view, None) {
        return refused;
    }
    match &view.request.body {
        BodyView::Empty | BodyView::Invalid => return Step::Refuse(Refusal::InvalidBody),
        BodyView::Json { schema: SchemaCheck::Unchecked, .. } => return Step::CheckSchema,
        BodyView::Json { schema: SchemaCheck::Fails, .. } => return Step::Refuse(Refusal::SchemaMismatch),
        BodyView::Json { schema: SchemaCheck::Fits, .. } => {}
    }
    if let Some(retry_after) = view.listing.breaker_retry_after {
        return Step::Refuse(Refusal::BreakerOpen { retry_after });
    }
    if let Some(why) = view.listing.traffic {
        return Step::Refuse(Refusal::Traffic(why));
    }
    if !view.listing.is_paid {
        return Step::CallFree(new);
    }
    if new.currency.is_none() && view.request.currency == RequestedCurrency::Unsupported {
        return Step::Refuse(Refusal::UnsupportedCurrency);
    }
    // A parallel request was first, and what it wrote is not there yet.
    if view.raced == Some(Race::Created) { Step::Refuse(Refusal::QuoteInProgress) } else { Step::Quote(new) }
}

/// The refusal of a listing that accepts no calls, or of a buyer that may not make any. Somebody may have paid the quote of the call
/// `quoted`.
pub(super) fn closed(view: &View, quoted: Option<&CallKey>) -> Option<Step> {
    let quoted = quoted.cloned();
    let refusal = match (view.listing.closed, view.request.buyer_suspended) {
        (Some(why), _) => Refusal::ListingClosed { why, quoted },
        (None, Some(reason)) => Refusal::BuyerSuspended { reason, quoted },
        (None, None) => return None,
    };
    Some(Step::Refuse(refusal))
}
