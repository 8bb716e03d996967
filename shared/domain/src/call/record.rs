//! The idempotency record: one for each thing that a buyer wants once. It lists every payment that was offered for it.

use serde::{Deserialize, Serialize};

use super::key::CallKey;
use super::{Call, CallState, PaymentState, RESPONSE_KEPT_MS};
use crate::currency::OriginCurrency;
use crate::ids::ListingId;
use crate::unknown::Unknown;

/// Maximum number of payments of one record that may still be filled.
pub const MAX_FILLABLE: usize = 16;
/// Time after the end of a quote's `ttl` in which a fill still has to be reckoned with: 1 hour.
pub const LATE_FILL_MS: i64 = 3_600_000;
/// Time within which a quote is shown after its record was written, or never.
pub const SHOWN_WITHIN_MS: i64 = 4_000;
/// Time after which a quote that is not completely there was never shown: a little more, for clocks that differ.
const MADE_WITHIN_MS: i64 = SHOWN_WITHIN_MS + 2_000;

/// The idempotency record of a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    /// The listing that the name is bound to.
    pub listing: ListingId,
    /// The body that the name is bound to.
    pub body_sha256: String,
    /// The currency of the first quote, to which a key is bound; `None` while there was none.
    pub currency: Option<OriginCurrency>,
    /// Which of the calls with this listing and body is the current one. A key has one round only; a body gets the next one
    /// when its call has ended and it is sent again.
    pub round: u32,
    /// The calls, newest first: one for each payment, and those that cost nothing.
    pub calls: Vec<RecordedCall>,
    /// Version of the record; every write increments it.
    pub version: u64,
    /// What the next version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A call in a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedCall {
    /// Its key.
    pub key: CallKey,
    /// Its round.
    pub round: u32,
    /// When it was added (Unix milliseconds). Call and record are written at the same time, by two writes: for a moment, the
    /// record may list a call that does not exist yet.
    pub added_ms: i64,
    /// What the next version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl RecordedCall {
    /// Whether a call that was not found may still be on its way.
    #[must_use]
    pub fn may_arrive(&self, now_ms: i64) -> bool {
        now_ms < self.added_ms + MADE_WITHIN_MS
    }
}

impl IdempotencyRecord {
    /// A record for the name of this call that lists nothing yet.
    #[must_use]
    pub fn empty(call: &Call) -> Self {
        Self {
            listing: call.listing.id,
            body_sha256: call.body_sha256.clone(),
            currency: None,
            round: call.round,
            calls: Vec::new(),
            version: 0,
            unknown: Unknown::default(),
        }
    }

    /// The next version, with `call` added. Of the calls that are listed, those in `known` leave that nobody has to ask about any
    /// more; one that is not known stays while it may arrive.
    #[must_use]
    pub fn with(mut self, call: &Call, known: &[&Call], now_ms: i64) -> Self {
        let is_key = call.idempotency_key.is_some();
        self.calls.retain(|listed| match known.iter().find(|known| known.key() == listed.key) {
            Some(known) => is_remembered(known, is_key, now_ms),
            None => listed.may_arrive(now_ms),
        });
        let key = call.key();
        self.calls.retain(|listed| listed.key != key);
        self.calls.insert(0, RecordedCall { key, round: call.round, added_ms: now_ms, unknown: Unknown::default() });
        self.round = self.round.max(call.round);
        self.currency = self.currency.or(call.payment.as_ref().map(|payment| payment.origin_currency));
        self.version += 1;
        self
    }

    /// Whether the record lists this call.
    #[must_use]
    pub fn lists(&self, key: &CallKey) -> bool {
        self.calls.iter().any(|listed| listed.key == *key)
    }
}

/// Whether a record must go on to list a call. What a key has led to, it always leads to.
fn is_remembered(call: &Call, is_key: bool, now_ms: i64) -> bool {
    match &call.state {
        CallState::Quoted | CallState::Pending | CallState::Settled | CallState::Delivering { .. } => true,
        CallState::Delivered { .. } | CallState::Undelivered => is_key || now_ms < call.updated_ms + RESPONSE_KEPT_MS,
        CallState::Expired => may_be_filled(call, now_ms),
    }
}

/// Whether an unsettled call's payment may still be filled, so that the provider has to be asked before anything is offered in its
/// place. A failure that the provider reports has been seen to confirm.
#[must_use]
pub fn may_be_filled(call: &Call, now_ms: i64) -> bool {
    let Some(payment) = &call.payment else { return false };
    match call.state {
        CallState::Quoted | CallState::Pending => true,
        CallState::Expired => payment.state != PaymentState::Refunded && now_ms < payment.ttl_ms + LATE_FILL_MS,
        CallState::Settled | CallState::Delivering { .. } | CallState::Delivered { .. } | CallState::Undelivered => false,
    }
}
