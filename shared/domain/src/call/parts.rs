//! The parts of a call: its listing, payment, attempts and stored response.

use serde::{Deserialize, Serialize};

use super::outcome::Outcome;
use crate::currency::OriginCurrency;
use crate::ids::{ListingId, WalletId};
use crate::wallet::Chain;

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
    /// What the buyer has to do to pay, as JSON text.
    pub requirements: String,
    /// State of the payment.
    pub state: PaymentState,
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
    /// `delivered` or a `SELLER_…` code; `None` while the attempt is running.
    pub outcome: Option<Outcome>,
    /// The seller's HTTP status; `None` if there was none.
    pub seller_status_code: Option<u16>,
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
}
