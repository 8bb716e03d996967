//! Stored calls, as the tests need them: `failed("p1")`, `quoted("eth").in_currency(Eth)`.

use std::sync::LazyLock;

use crate::call::outcome::Outcome;
use crate::call::view::{Fact, Payout};
use crate::call::{
    Attempt, Call, CallKey, CallState, CalledListing, Debts, ExpectedPayout, OFFER_MARGIN_MS, PayFrom, Payment, PaymentState,
    RESPONSE_KEPT_MS, StoredResponse, UNPRESENTED_MS,
};
use crate::currency::OriginCurrency;
use crate::ids::{CallId, ListingId, ProfileId, WalletId};
use crate::money::{FeeRate, Micros, PriceSplit};
use crate::unknown::Unknown;

/// The time of every request (Unix milliseconds).
pub(super) const NOW: i64 = 1_790_000_000_000;
pub(super) const MINUTE: i64 = 60_000;
pub(super) const HOUR: i64 = 60 * MINUTE;
/// The fingerprint of the request's body.
pub(super) const BODY: &str = "the body";
/// The mark of the listing's endpoint.
pub(super) const ENDPOINT: &str = "endpoint";

pub(super) fn key(payment: &str) -> CallKey {
    CallKey::of_payment("a-provider", payment)
}

pub(super) fn free_key() -> CallKey {
    free().key()
}

pub(super) fn listing() -> ListingId {
    "00000000-0000-7000-8000-000000000001".parse().expect("an id")
}

pub(super) fn another_listing() -> ListingId {
    "00000000-0000-7000-8000-000000000002".parse().expect("an id")
}

pub(super) fn buyer() -> ProfileId {
    "00000000-0000-7000-8000-000000000003".parse().expect("an id")
}

pub(super) fn another_buyer() -> ProfileId {
    "00000000-0000-7000-8000-000000000004".parse().expect("an id")
}

pub(super) fn call_id(n: u32) -> CallId {
    format!("gw_req_{n:026}").parse().expect("an id")
}

/// The payout is the one that was quoted.
pub(super) const FILLED: Fact = Fact::Filled(Payout::AsQuoted);

pub(super) fn failed_fact() -> Fact {
    Fact::Over { how: PaymentState::Failed, reason: Some("no liquidity".into()) }
}

pub(super) fn refunded_fact() -> Fact {
    Fact::Over { how: PaymentState::Refunded, reason: None }
}

/// The id of a fixture's call, which follows from that of its payment.
fn id_of(payment: &str) -> CallId {
    call_id(payment.bytes().fold(7, |n: u32, byte| n.wrapping_mul(31).wrapping_add(byte.into())))
}

/// A quote of a minute ago. It is offered for another nine minutes and filled for another twelve.
pub(super) fn quoted(payment: &str) -> Call {
    static QUOTED: LazyLock<Call> = LazyLock::new(quote);
    let mut call = Call { id: id_of(payment), ..QUOTED.clone() };
    call.quote().id = payment.into();
    call
}

fn quote() -> Call {
    let fee_rate = FeeRate::from_bps(490).expect("a rate");
    let wallet_id: WalletId = "00000000-0000-7000-8000-000000000005".parse().expect("an id");
    Call {
        id: call_id(0),
        buyer: buyer(),
        seller: another_buyer(),
        listing: CalledListing { id: listing(), slug: "slug".into(), name: "Name".into() },
        body_sha256: BODY.into(),
        idempotency_key: None,
        split: PriceSplit::of(Micros(1_000_000), fee_rate),
        payment: Some(Payment {
            provider: "a-provider".into(),
            id: String::new(),
            origin_currency: OriginCurrency::Sol,
            pay_from: PayFrom { wallet_id, address: "payer".into(), chain: OriginCurrency::Sol.chain() },
            expected: ExpectedPayout { recipient: "seller".into(), chain_id: 1, currency: "usdc".into(), output: 951_000 },
            expires_ms: NOW + 9 * MINUTE,
            ttl_ms: NOW + 9 * MINUTE + OFFER_MARGIN_MS,
            fee_collected: Micros(49_000),
            state: PaymentState::Waiting,
            unknown: Unknown::default(),
        }),
        round: 0,
        state: CallState::Quoted,
        attempts: Vec::new(),
        in_vain_ms: None,
        tried_endpoint: None,
        debts: Debts::default(),
        due_ms: None,
        settled_ms: None,
        created_ms: NOW - MINUTE,
        updated_ms: NOW - MINUTE,
        version: 1,
        write_token: String::new(),
        unknown: Unknown::default(),
    }
}

/// A quote that is no longer offered from now on, but is still filled for three minutes.
pub(super) fn closing(payment: &str) -> Call {
    quoted(payment).whose_ttl_ends(NOW + OFFER_MARGIN_MS)
}

/// A quote whose closing ends now.
pub(super) fn timed_out(payment: &str) -> Call {
    quoted(payment).whose_ttl_ends(NOW - MINUTE)
}

pub(super) fn pending(payment: &str) -> Call {
    quoted(payment).deposit_seen(NOW - 1)
}

/// A call whose payment is stored as failed.
pub(super) fn failed(payment: &str) -> Call {
    quoted(payment).expired(PaymentState::Failed, NOW - 1)
}

/// A call that was never paid.
pub(super) fn never_paid(payment: &str) -> Call {
    timed_out(payment).expired(PaymentState::Waiting, NOW - 1)
}

pub(super) fn settled(payment: &str) -> Call {
    quoted(payment).settled_at(NOW - 1)
}

/// A call with the seller until `lease_until_ms`.
pub(super) fn delivering(payment: &str, lease_until_ms: i64) -> Call {
    settled(payment).begun("attempt".into(), lease_until_ms, 2, NOW - 1)
}

pub(super) fn delivered(payment: &str) -> Call {
    settled(payment).delivered_at(NOW - 1)
}

pub(super) fn undelivered(payment: &str) -> Call {
    settled(payment).closed(NOW - 1)
}

/// A call that nobody presented for the whole time in which it stays open.
pub(super) fn overdue(payment: &str) -> Call {
    quoted(payment).settled_at(NOW - UNPRESENTED_MS)
}

/// A free call whose attempt at the seller failed.
pub(super) fn free() -> Call {
    Call { payment: None, state: CallState::Settled, ..quoted("none") }.attempted(1)
}

pub(super) fn free_and_delivered() -> Call {
    free().delivered_at(NOW - 1)
}

impl Call {
    pub(super) fn with_idempotency_key(self, name: &str) -> Self {
        Self { idempotency_key: Some(name.into()), ..self }
    }

    pub(super) fn in_round(self, round: u32) -> Self {
        Self { round, ..self }
    }

    /// It settled at the terms of its quote.
    pub(super) fn settled_at(self, now_ms: i64) -> Self {
        self.settled(None, now_ms)
    }

    /// A quote is offered until three minutes before its `ttl` ends.
    pub(super) fn whose_ttl_ends(mut self, ttl_ms: i64) -> Self {
        let quote = self.quote();
        (quote.ttl_ms, quote.expires_ms) = (ttl_ms, ttl_ms - OFFER_MARGIN_MS);
        self
    }

    /// The response is stored for 48 hours.
    pub(super) fn delivered_at(self, now_ms: i64) -> Self {
        let kept_until_ms = now_ms + RESPONSE_KEPT_MS;
        let response = Some(StoredResponse { attempt: 1, parts: 1, sha256: "response".into(), kept_until_ms });
        Self { state: CallState::Delivered { response }, updated_ms: now_ms, ..self }
    }

    pub(super) fn in_currency(mut self, currency: OriginCurrency) -> Self {
        self.quote().origin_currency = currency;
        self
    }

    /// So many attempts failed, four hours ago: the seller may be called again.
    pub(super) fn attempted(self, times: u32) -> Self {
        self.attempted_at(times, NOW - 4 * HOUR)
    }

    /// So many attempts failed, all at this time.
    pub(super) fn attempted_at(mut self, times: u32, started_ms: i64) -> Self {
        for _ in 0..times {
            self = self.with_attempt(Outcome::SellerError, started_ms);
        }
        self.in_vain_ms = self.in_vain_ms.or((times > 0).then_some(started_ms));
        self.tried_endpoint = Some(ENDPOINT.into());
        self
    }

    /// One more attempt came to this, at this time.
    pub(super) fn with_attempt(mut self, outcome: Outcome, started_ms: i64) -> Self {
        let n = self.attempts.last().map_or(1, |last| last.n + 1);
        self.attempts.push(Attempt {
            n,
            started_ms,
            latency_ms: Some(0),
            request_bytes: 2,
            response_bytes: None,
            outcome: Some(outcome),
            seller_status_code: None,
            unreadable: None,
            unknown: Unknown::default(),
        });
        self
    }

    fn quote(&mut self) -> &mut Payment {
        self.payment.as_mut().expect("a call with a payment")
    }
}
