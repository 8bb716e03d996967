//! A request and what is known of it: `asking().that_meets(quoted("p1")).provider_says(Fact::Waiting).decide()`.

use super::calls::{BODY, ENDPOINT, NOW, buyer, listing};
use crate::call::decide::decide;
use crate::call::record::{IdempotencyRecord, RecordedCall};
use crate::call::step::Step;
use crate::call::view::{
    BodyView, Fact, ListingClosed, ListingView, Obstacle, Race, RecordView, RequestView, RequestedCurrency, ResolvedBy,
    SchemaCheck, TrafficRefusal, View,
};
use crate::call::{Call, CallKey};
use crate::currency::OriginCurrency;
use crate::unknown::Unknown;

/// A view in the making. What `provider_says` is about the call that was added last.
pub(super) struct Asking {
    pub(super) view: View,
    last: Option<CallKey>,
}

/// A request by body alone to an active paid listing, under whose name there is no record yet. The buyer's default wallet pays in
/// SOL.
pub(super) fn asking() -> Asking {
    let view = View {
        request: RequestView {
            resolved_by: ResolvedBy::Body,
            buyer: buyer(),
            buyer_suspended: None,
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
            endpoint_mark: Some(ENDPOINT.into()),
            relaxed: 1,
        },
        named: None,
        record: RecordView::Absent,
        calls: Vec::new(),
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

    /// The request sends the id of this payment. No record was read.
    pub(super) fn with_payment_id(mut self, payment: &CallKey) -> Self {
        self.view.request.resolved_by = ResolvedBy::PaymentId;
        self.view.named = Some(payment.clone());
        self.view.record = RecordView::Unread;
        self
    }

    /// The request's key came later, with the id of this payment.
    pub(super) fn that_was_sent_for(mut self, payment: &CallKey) -> Self {
        self.view.named = Some(payment.clone());
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

    /// The record of what the request means was read, and lists this call after those that it lists already: newest first.
    pub(super) fn that_meets(mut self, call: Call) -> Self {
        if !matches!(self.view.record, RecordView::Found(_)) {
            self.view.record = RecordView::Found(IdempotencyRecord::empty(&call));
        }
        if let RecordView::Found(record) = &mut self.view.record {
            record.calls.push(RecordedCall {
                key: call.key(),
                round: call.round,
                added_ms: call.created_ms,
                unknown: Unknown::default(),
            });
            record.round = record.round.max(call.round);
            record.currency = call.payment.as_ref().map(|payment| payment.origin_currency).or(record.currency);
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

    /// The record lists a call that was added at this time and was not found.
    pub(super) fn that_misses(mut self, payment: &CallKey, added_ms: i64) -> Self {
        if let RecordView::Found(record) = &mut self.view.record {
            record
                .calls
                .insert(0, RecordedCall { key: payment.clone(), round: record.round, added_ms, unknown: Unknown::default() });
        }
        self.view.put(payment, None);
        self
    }

    /// The record was looked for, and there is none.
    pub(super) fn without_a_record(mut self) -> Self {
        self.view.record = RecordView::Absent;
        self
    }

    /// The record was not read: nothing may be recorded under its name.
    pub(super) fn that_reads_no_record(mut self) -> Self {
        self.view.record = RecordView::Unread;
        self
    }

    pub(super) fn at(mut self, now_ms: i64) -> Self {
        self.view.now_ms = now_ms;
        self
    }

    pub(super) fn with_endpoint(mut self, mark: &str) -> Self {
        self.view.listing.endpoint_mark = Some(mark.into());
        self
    }

    /// Waits after a failed attempt are divided by this.
    pub(super) fn with_limits_relaxed(mut self, by: u32) -> Self {
        self.view.listing.relaxed = by;
        self
    }

    /// What the provider says about the call that was added last.
    pub(super) fn provider_says(mut self, fact: Fact) -> Self {
        let key = self.last.clone().expect("a call to speak about");
        self.view.set_fact(&key, fact);
        self
    }
}

/// The ways to ask for a call: by body, by key, and by its id, without and with its record.
pub(super) fn each_way(call: &Call) -> [Asking; 4] {
    let by_id = || asking().with_payment_id(&call.key());
    [
        asking().that_meets(call.clone()),
        asking().with_key("k").that_meets(call.clone().with_idempotency_key("k")),
        by_id().and_knows(call.clone()),
        by_id().that_meets(call.clone()),
    ]
}

/// The ways to ask for a call whose record has been read, where it makes a difference.
pub(super) fn each_way_with_its_record(call: &Call) -> [Asking; 3] {
    let [by_body, by_key, _, by_id] = each_way(call);
    [by_body, by_key, by_id]
}

/// Every way of asking for a call with several payments, newest first, and what the provider says about them: by body, by key, and
/// by each of the ids.
pub(super) fn each_way_of(chain: &[(Call, Fact)]) -> Vec<Asking> {
    let meets = |asked: Asking, name: Option<&str>| {
        chain.iter().fold(asked, |asked, (call, fact)| {
            let call = Call { idempotency_key: name.map(str::to_owned), ..call.clone() };
            asked.that_meets(call).provider_says(fact.clone())
        })
    };
    let by_id = chain.iter().map(|(call, _)| meets(asking().with_payment_id(&call.key()), None));
    [meets(asking(), None), meets(asking().with_key("k"), Some("k"))].into_iter().chain(by_id).collect()
}
