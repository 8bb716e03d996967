//! The calls that an idempotency record lists, as one request sees them.

use crate::call::key::CallKey;
use crate::call::record::{IdempotencyRecord, may_be_filled};
use crate::call::view::{Fact, Payout, ResolvedBy, View};
use crate::call::{Call, CallState};
use crate::currency::OriginCurrency;

pub(super) type Known<'a> = (&'a CallKey, &'a Call);

/// The calls of a record.
pub(super) struct Calls<'a> {
    listed: Vec<Known<'a>>,
    /// The round that the request means.
    pub(super) round: u32,
    /// Whether a call is listed that may be written at this moment.
    pub(super) is_one_arriving: bool,
    by_key: bool,
}

impl<'a> Calls<'a> {
    /// The call that the request names may have left the record.
    pub(super) fn of(view: &'a View, record: &'a IdempotencyRecord) -> Self {
        let named = view.named.as_ref().and_then(|key| Some((key, view.call(key)?)));
        // A key that came later names one of several rounds, as an id does.
        let by_key = view.request.resolved_by == ResolvedBy::IdempotencyKey && named.is_none();
        let mut calls = Self { listed: Vec::new(), round: record.round, is_one_arriving: false, by_key };
        for listed in &record.calls {
            match view.call(&listed.key) {
                // The provider may have given one id to two quotes. Only one of them was offered.
                Some(call) if call.buyer != view.request.buyer || call.body_sha256 != record.body_sha256 => {}
                Some(call) => calls.listed.push((&listed.key, call)),
                None => calls.is_one_arriving |= listed.may_arrive(view.now_ms),
            }
        }
        calls.listed.extend(named.filter(|(key, _)| !record.lists(key)));
        // The round of that call is meant, if it has ended. It has, if there is a later one.
        if let Some(round) = named.map(|(_, call)| call.round)
            && (round < record.round || calls.all().any(|(_, call)| call.round == round && has_ended(call)))
        {
            calls.round = round;
        }
        calls
    }

    pub(super) fn all(&self) -> impl Iterator<Item = Known<'a>> {
        self.listed.iter().copied()
    }

    /// Those of the round that the request means.
    pub(super) fn current(&self) -> impl Iterator<Item = Known<'a>> {
        self.all().filter(|(_, call)| call.round == self.round)
    }

    pub(super) fn unended(&self) -> impl Iterator<Item = Known<'a>> {
        self.all().filter(|(_, call)| !has_ended(call))
    }

    /// Those about whose payment the provider has to be asked.
    pub(super) fn fillable(&self, view: &View) -> impl Iterator<Item = Known<'a>> {
        let now_ms = view.now_ms;
        self.all().filter(move |(_, call)| may_be_filled(call, now_ms))
    }

    /// Whether a payment of this call's round was not needed: another one was delivered.
    pub(super) fn is_unused(&self, call: &Call) -> bool {
        self.all().any(|(_, other)| other.round == call.round && is_delivered(other) && other.id != call.id)
    }

    /// A delivered paid call with the same body whose response is still stored. A first key has only one call.
    pub(super) fn delivered_before(&self, view: &View) -> Option<CallKey> {
        let is_stored = |call: &Call| match &call.state {
            CallState::Delivered { response: Some(response) } => view.now_ms < response.kept_until_ms,
            _ => false,
        };
        let delivered = self.all().find(|(_, call)| call.payment.is_some() && is_stored(call));
        delivered.filter(|_| !self.by_key).map(|(key, _)| key.clone())
    }
}

pub(super) fn is_delivered(call: &Call) -> bool {
    matches!(call.state, CallState::Delivered { .. })
}

pub(super) fn is_settled(call: &Call) -> bool {
    matches!(call.state, CallState::Settled | CallState::Delivering { .. })
}

fn has_ended(call: &Call) -> bool {
    is_delivered(call) || call.state == CallState::Undelivered
}

/// Whether a payment is filled and has not been used.
pub(super) fn is_paid(view: &View, key: &CallKey, call: &Call) -> bool {
    let is_filled = may_be_filled(call, view.now_ms) && view.fact(key) == Some(&Fact::Filled(Payout::AsQuoted));
    call.payment.is_some() && (is_settled(call) || is_filled)
}

pub(super) fn currency(call: &Call) -> Option<OriginCurrency> {
    call.payment.as_ref().map(|payment| payment.origin_currency)
}
