//! A request and what is known of it: `asking().that_meets(quoted("p1")).provider_says(Fact::Waiting).decide()`.

use super::calls::{BODY, NOW, buyer, listing};
use crate::call::decide::decide;
use crate::call::step::Step;
use crate::call::view::{
    BodyView, Fact, ListingClosed, ListingView, Obstacle, Race, RequestView, RequestedCurrency, ResolvedBy, SchemaCheck,
    TrafficRefusal, View,
};
use crate::call::{Call, CallKey, IdempotencyRecord};
use crate::currency::OriginCurrency;

/// A view in the making. What `provider_says` is about the call that was added last.
pub(super) struct Asking {
    pub(super) view: View,
    last: Option<CallKey>,
}

/// A request by body alone to an active paid listing. The buyer's default wallet pays in SOL.
pub(super) fn asking() -> Asking {
    let view = View {
        request: RequestView {
            resolved_by: ResolvedBy::Body,
            buyer: buyer(),
            idempotency_key: None,
            currency: RequestedCurrency::Absent,
            default_currency: Some(OriginCurrency::Sol),
            body: BodyView::Json { sha256: BODY.into(), schema: SchemaCheck::Unchecked },
        },
        listing: ListingView {
            id: listing(),
            is_paid: true,
            closed: None,
            endpoint_active: true,
            traffic: None,
            breaker_retry_after: None,
        },
        record: None,
        candidates: Vec::new(),
        calls: Vec::new(),
        successors: Vec::new(),
        obstacle: None,
        key_added: None,
        raced: None,
        now_ms: NOW,
    };
    Asking { view, last: None }
}

impl Asking {
    pub(super) fn decide(&self) -> Step {
        decide(&self.view)
    }

    /// The request sends an idempotency key, and no payment id.
    pub(super) fn with_key(mut self, name: &str) -> Self {
        self.view.request.resolved_by = ResolvedBy::IdempotencyKey;
        self.and_key(name)
    }

    /// The request sends an idempotency key beside its payment id.
    pub(super) fn and_key(mut self, name: &str) -> Self {
        self.view.request.idempotency_key = Some(name.into());
        self
    }

    /// The request sends a payment id.
    pub(super) fn with_payment_id(mut self) -> Self {
        self.view.request.resolved_by = ResolvedBy::PaymentId;
        self
    }

    pub(super) fn in_currency(mut self, currency: OriginCurrency) -> Self {
        self.view.request.currency = RequestedCurrency::Known(currency);
        self
    }

    pub(super) fn in_an_unsupported_currency(mut self) -> Self {
        self.view.request.currency = RequestedCurrency::Unsupported;
        self
    }

    pub(super) fn with_default_currency(mut self, currency: OriginCurrency) -> Self {
        self.view.request.default_currency = Some(currency);
        self
    }

    pub(super) fn with_body(mut self, body: BodyView) -> Self {
        self.view.request.body = body;
        self
    }

    /// The body was checked against the listing's input schema.
    pub(super) fn checked(self, schema: SchemaCheck) -> Self {
        self.with_body(BodyView::Json { sha256: BODY.into(), schema })
    }

    /// The body fits the listing's input schema.
    pub(super) fn that_fits(self) -> Self {
        self.checked(SchemaCheck::Fits)
    }

    /// The listing is free today.
    pub(super) fn for_free(mut self) -> Self {
        self.view.listing.is_paid = false;
        self
    }

    pub(super) fn while_closed(mut self, why: ListingClosed) -> Self {
        self.view.listing.closed = Some(why);
        self.view.listing.endpoint_active = why == ListingClosed::NotActive;
        self
    }

    pub(super) fn under_traffic(mut self, why: TrafficRefusal) -> Self {
        self.view.listing.traffic = Some(why);
        self
    }

    pub(super) fn with_open_breaker(mut self, seconds: u64) -> Self {
        self.view.listing.breaker_retry_after = Some(seconds);
        self
    }

    pub(super) fn held_back_by(mut self, obstacle: Obstacle) -> Self {
        self.view.obstacle = Some(obstacle);
        self
    }

    pub(super) fn after(mut self, race: Race) -> Self {
        self.view.raced = Some(race);
        self
    }

    /// The request's key was offered to the call of its payment id.
    pub(super) fn whose_key_was_added(mut self, added: bool) -> Self {
        self.view.key_added = Some(added);
        self
    }

    /// The names that the request sends lead to this call.
    pub(super) fn that_meets(mut self, call: Call) -> Self {
        let key = call.key();
        if self.view.request.resolved_by == ResolvedBy::IdempotencyKey {
            self.view.record = Some(IdempotencyRecord {
                call: key,
                listing: call.listing.id,
                body_sha256: call.body_sha256.clone(),
                currency: call.payment.as_ref().map(|payment| payment.origin_currency),
                version: 1,
            });
        } else {
            self.view.candidates.push(key);
        }
        self.and_knows(call)
    }

    /// This call was read, too.
    pub(super) fn and_knows(mut self, call: Call) -> Self {
        let key = call.key();
        self.view.put(&key, Some(call));
        self.last = Some(key);
        self
    }

    /// What the provider says about the call that was added last.
    pub(super) fn provider_says(mut self, fact: Fact) -> Self {
        let key = self.last.clone().expect("a call to speak about");
        self.view.set_fact(&key, fact);
        self
    }

    /// The names of the first call have been taken over by the second, or by nobody yet.
    pub(super) fn succeeded(mut self, of: CallKey, by: Option<CallKey>) -> Self {
        self.view.successors.push((of, by));
        self
    }
}
