//! Stored calls, as the tests need them: `failed("p1")`, `quoted("p2").replacing("p1")`.

use crate::call::view::{Fact, Payout};
use crate::call::{
    Attempt, Call, CallKey, CallState, CalledListing, ExpectedPayout, PayFrom, Payment, PaymentState, UNPRESENTED_MS,
};
use crate::currency::OriginCurrency;
use crate::ids::{CallId, ListingId, ProfileId, WalletId};
use crate::money::{FeeRate, Micros, PriceSplit};

/// The time of every request (Unix milliseconds).
pub(super) const NOW: i64 = 1_790_000_000_000;
pub(super) const MINUTE: i64 = 60_000;
pub(super) const HOUR: i64 = 60 * MINUTE;
/// The fingerprint of the request's body.
pub(super) const BODY: &str = "the body";

pub(super) fn key(payment: &str) -> CallKey {
    CallKey::of_payment("a-provider", payment)
}

pub(super) fn free_key() -> CallKey {
    CallKey::of_free_call(call_id(0))
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

/// A quote of a minute ago. It is offered for another nine minutes and filled for another ten.
pub(super) fn quoted(payment: &str) -> Call {
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
            id: payment.into(),
            origin_currency: OriginCurrency::Sol,
            pay_from: PayFrom { wallet_id, address: "payer".into(), chain: OriginCurrency::Sol.chain() },
            expected: ExpectedPayout { recipient: "seller".into(), chain_id: 1, currency: "usdc".into(), output: 951_000 },
            expires_ms: NOW + 9 * MINUTE,
            ttl_ms: NOW + 10 * MINUTE,
            requirements: "{}".into(),
            state: PaymentState::Waiting,
        }),
        replaces: None,
        state: CallState::Quoted,
        attempts: Vec::new(),
        settled_ms: None,
        created_ms: NOW - MINUTE,
        updated_ms: NOW - MINUTE,
        version: 1,
        write_token: String::new(),
    }
}

/// A quote that is no longer offered, but is still filled.
pub(super) fn closing(payment: &str) -> Call {
    quoted(payment).offered_until(NOW).filled_until(NOW + MINUTE)
}

/// A quote that is no longer filled, as far as our clock knows.
pub(super) fn timed_out(payment: &str) -> Call {
    quoted(payment).offered_until(NOW - MINUTE).filled_until(NOW)
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
    quoted(payment).settled(NOW - 1)
}

/// A call with the seller until `lease_until_ms`.
pub(super) fn delivering(payment: &str, lease_until_ms: i64) -> Call {
    settled(payment).begun("attempt".into(), lease_until_ms, 2, NOW - 1)
}

pub(super) fn delivered(payment: &str) -> Call {
    Call { state: CallState::Delivered { response: None }, ..settled(payment) }
}

pub(super) fn undelivered(payment: &str) -> Call {
    settled(payment).closed(NOW - 1)
}

/// A call that nobody presented for the whole time in which it stays open.
pub(super) fn overdue(payment: &str) -> Call {
    quoted(payment).settled(NOW - UNPRESENTED_MS)
}

/// A free call with an idempotency key whose attempt at the seller failed.
pub(super) fn free() -> Call {
    let call = Call { payment: None, idempotency_key: Some("k".into()), ..quoted("none") };
    Call { state: CallState::Settled, ..call }.attempted(1)
}

impl Call {
    pub(super) fn replacing(self, payment: &str) -> Self {
        Self { replaces: Some(key(payment)), ..self }
    }

    pub(super) fn with_idempotency_key(self, name: &str) -> Self {
        Self { idempotency_key: Some(name.into()), ..self }
    }

    pub(super) fn made_at(self, created_ms: i64) -> Self {
        Self { created_ms, ..self }
    }

    pub(super) fn offered_until(mut self, expires_ms: i64) -> Self {
        self.quote().expires_ms = expires_ms;
        self
    }

    pub(super) fn filled_until(mut self, ttl_ms: i64) -> Self {
        self.quote().ttl_ms = ttl_ms;
        self
    }

    pub(super) fn in_currency(mut self, currency: OriginCurrency) -> Self {
        self.quote().origin_currency = currency;
        self
    }

    /// So many attempts failed, the first an hour ago.
    pub(super) fn attempted(self, times: u32) -> Self {
        self.attempted_from(times, NOW - HOUR)
    }

    /// So many attempts failed, all at this time.
    pub(super) fn attempted_from(mut self, times: u32, started_ms: i64) -> Self {
        self.attempts.extend((1..=times).map(|n| Attempt {
            n,
            started_ms,
            latency_ms: Some(0),
            request_bytes: 2,
            response_bytes: None,
            outcome: Some(crate::call::outcome::Outcome::SellerError),
            seller_status_code: Some(500),
        }));
        self
    }

    fn quote(&mut self) -> &mut Payment {
        self.payment.as_mut().expect("a call with a payment")
    }
}
