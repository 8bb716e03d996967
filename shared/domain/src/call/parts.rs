//! The parts of a call: its listing, payment, attempts and stored response.

use serde::{Deserialize, Serialize};

use super::outcome::{Outcome, Unreadable};
use crate::currency::OriginCurrency;
use crate::ids::{ListingId, WalletId};
use crate::money::Micros;
use crate::unknown::Unknown;
use crate::wallet::Chain;
use crate::wire_enum::wire_enum;

/// Time before the end of a quote's `ttl` at which it is no longer offered: 3 minutes.
pub const OFFER_MARGIN_MS: i64 = 180_000;
/// Time after the end of a quote's `ttl` until which it is closing: 1 minute.
const CLOSING_AFTER_TTL_MS: i64 = 60_000;

wire_enum! {
    /// Status of a debt.
    pub enum Settlement {
        /// Owed.
        Open = "open",
        /// Paid.
        Settled = "settled",
        /// Given up.
        Waived = "waived",
    }
}

/// The listing, as it was at the time of the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalledListing {
    /// Its id.
    pub id: ListingId,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// The wallet that a quote must be paid from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayFrom {
    /// The wallet's id.
    pub wallet_id: WalletId,
    /// Its address.
    pub address: String,
    /// Its chain family.
    pub chain: Chain,
}

/// What a payment must achieve: who receives how much of which token, on which chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedPayout {
    /// The seller's payout address.
    pub recipient: String,
    /// The provider's id of the payout chain.
    pub chain_id: u64,
    /// Address of the token on that chain.
    pub currency: String,
    /// Amount in the token's smallest unit.
    pub output: u64,
}

impl ExpectedPayout {
    /// Whether a payment is exactly this one. The case of EVM addresses does not matter.
    #[must_use]
    pub fn matches(&self, wanted: &Self) -> bool {
        self.chain_id == wanted.chain_id
            && self.output == wanted.output
            && same_address(&self.recipient, &wanted.recipient)
            && same_address(&self.currency, &wanted.currency)
    }
}

/// Whether two addresses are the same. The case of EVM addresses does not matter.
#[must_use]
pub fn same_address(a: &str, b: &str) -> bool {
    if a.starts_with("0x") && b.starts_with("0x") { a.eq_ignore_ascii_case(b) } else { a == b }
}

/// State of a call's payment, as the provider last reported it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// Nothing was paid yet.
    Waiting,
    /// A deposit was seen.
    Pending,
    /// The seller was paid.
    Success,
    /// It failed.
    Failed,
    /// It was refunded.
    Refunded,
}

impl PaymentState {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Refunded => "refunded",
        }
    }
}

/// A quote, and the state of its payment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The payment provider's name.
    pub provider: String,
    /// The provider's id for the payment.
    pub id: String,
    /// The currency that the buyer pays in.
    pub origin_currency: OriginCurrency,
    /// The wallet that must pay.
    pub pay_from: PayFrom,
    /// What the payment must achieve.
    pub expected: ExpectedPayout,
    /// Until when the quote is offered (Unix milliseconds).
    pub expires_ms: i64,
    /// Until when the provider fills it (Unix milliseconds).
    pub ttl_ms: i64,
    /// What the provider collects for the operator, in micro-dollars: as quoted and, once it is filled, as recorded.
    pub fee_collected: Micros,
    /// State of the payment.
    pub state: PaymentState,
    /// What the next version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Payment {
    /// Until when nothing may be offered in its place: a deposit shows up to two minutes late (Unix milliseconds).
    #[must_use]
    pub fn closes_ms(&self) -> i64 {
        self.ttl_ms + CLOSING_AFTER_TTL_MS
    }
}

impl std::fmt::Debug for Payment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payment").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

/// One delivery attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Number of the attempt, from 1.
    pub n: u32,
    /// Start time (Unix milliseconds).
    pub started_ms: i64,
    /// Duration in milliseconds; `None` while the attempt is running.
    pub latency_ms: Option<i64>,
    /// Length of the request body, in bytes.
    pub request_bytes: u64,
    /// Length of the response body, in bytes; `None` if there was no complete response.
    pub response_bytes: Option<u64>,
    /// `delivered`, a `SELLER_…` code or `GATEWAY_INTERRUPTED`; `None` while the attempt is running.
    pub outcome: Option<Outcome>,
    /// The seller's HTTP status; `None` if there was none.
    pub seller_status_code: Option<u16>,
    /// What made the response unreadable, if that was why it failed.
    pub unreadable: Option<Unreadable>,
    /// What the next version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Attempt {
    /// Whether the seller failed. An attempt that ended with our own process is no failure of the seller.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        !matches!(self.outcome, None | Some(Outcome::Delivered | Outcome::GatewayInterrupted))
    }

    /// When it ended (Unix milliseconds), if it has.
    #[must_use]
    pub fn ended_ms(&self) -> Option<i64> {
        self.outcome.map(|_| self.started_ms + self.latency_ms.unwrap_or(0))
    }
}

/// Where a response is stored, and how to verify it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredResponse {
    /// The attempt that it belongs to.
    pub attempt: u32,
    /// Number of parts that it is stored in.
    pub parts: usize,
    /// SHA-256 in hex of the whole reply body, uncompressed.
    pub sha256: String,
    /// Until when it is kept (Unix milliseconds).
    pub kept_until_ms: i64,
}

/// Report of an attempt that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptReport {
    /// Duration in milliseconds.
    pub latency_ms: i64,
    /// Length of the response body, in bytes; `None` if there was no complete response.
    pub response_bytes: Option<u64>,
    /// The seller's HTTP status; `None` if there was none.
    pub seller_status_code: Option<u16>,
    /// The outcome.
    pub outcome: Outcome,
    /// What made the response unreadable, if that was why it failed.
    pub unreadable: Option<Unreadable>,
}
