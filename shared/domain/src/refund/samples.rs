//! Calls and payments for tests.

use time::OffsetDateTime;

use super::{RefundPayment, RefundedCall};
use crate::call::{Call, CallState, CalledListing, Debts, ExpectedPayout, OFFER_MARGIN_MS, PayFrom, Payment, PaymentState};
use crate::currency::OriginCurrency;
use crate::ids::{CallId, ListingId, ProfileId, RefundId, WalletId};
use crate::money::{FeeRate, Micros, PriceSplit};
use crate::timestamp::from_unix_ms;
use crate::unknown::Unknown;
use crate::wallet::Chain;

pub(crate) const NOW: i64 = 1_790_000_000_000;
pub(crate) const TTL: i64 = 780_000;

fn at() -> OffsetDateTime {
    from_unix_ms(NOW)
}

/// A payment of this number, quoted now.
fn payment(n: u32) -> Payment {
    Payment {
        provider: "rail".into(),
        id: format!("0x{n}"),
        origin_currency: OriginCurrency::Sol,
        pay_from: PayFrom { wallet_id: WalletId::generate(at()), address: "payer".into(), chain: Chain::Solana },
        expected: ExpectedPayout { recipient: "payee".into(), chain_id: 1, currency: "usdc".into(), output: 951_000 },
        expires_ms: NOW + TTL - OFFER_MARGIN_MS,
        ttl_ms: NOW + TTL,
        fee_collected: Micros::ZERO,
        state: PaymentState::Waiting,
        unknown: Unknown::default(),
    }
}

/// A quoted call for a dollar, of which the seller receives 951,000 micros.
pub(crate) fn call(n: u32) -> Call {
    Call {
        id: CallId::generate(at()),
        buyer: ProfileId::from_bytes([1; 16]),
        seller: ProfileId::from_bytes([2; 16]),
        listing: CalledListing { id: ListingId::from_bytes([3; 16]), slug: "s".into(), name: "S".into() },
        body_sha256: "00".repeat(32),
        idempotency_key: None,
        round: 0,
        split: PriceSplit::of(Micros(1_000_000), FeeRate::from_bps(490).expect("a rate")),
        payment: Some(payment(n)),
        state: CallState::Quoted,
        attempts: Vec::new(),
        in_vain_ms: None,
        tried_endpoint: None,
        debts: Debts::default(),
        due_ms: None,
        settled_ms: None,
        created_ms: NOW,
        updated_ms: NOW,
        version: 1,
        write_token: String::new(),
        unknown: Unknown::default(),
    }
}

/// A call that closed as undelivered.
pub(crate) fn undelivered(n: u32) -> Call {
    call(n).settled(None, NOW).closed(NOW)
}

/// A payment for these calls, quoted now.
pub(crate) fn refund(n: u32, calls: &[&Call]) -> RefundPayment {
    RefundPayment {
        refund: RefundId::generate(at()),
        payment: payment(n),
        calls: calls.iter().map(|call| RefundedCall::from(*call)).collect(),
        unknown: Unknown::default(),
    }
}
