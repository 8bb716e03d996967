//! What a call is made of: its listing, its payment, its attempts and its answer.

use serde::{Deserialize, Serialize};

use super::outcome::Outcome;
use crate::currency::OriginCurrency;
use crate::ids::{ListingId, WalletId};
use crate::wallet::Chain;

/// The listing of a call, as it was called at the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalledListing {
    /// Its id.
    pub id: ListingId,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// The wallet that a quote is made out to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayFrom {
    /// The wallet's id.
    pub wallet_id: WalletId,
    /// Its address.
    pub address: String,
    /// Its chain family.
    pub chain: Chain,
}

/// What the payment must bring about: who gets how much of what, where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedPayout {
    /// The seller's payout address.
    pub recipient: String,
    /// The provider's number of the payout chain.
    pub chain_id: u64,
    /// Address of the token on that chain.
    pub currency: String,
    /// Amount in the token's smallest unit.
    pub output: u64,
}

impl ExpectedPayout {
    /// Whether a payment is exactly this one. EVM addresses compare without regard to case.
    #[must_use]
    pub fn matches(&self, wanted: &Self) -> bool {
        self.chain_id == wanted.chain_id
            && self.output == wanted.output
            && same_address(&self.recipient, &wanted.recipient)
            && same_address(&self.currency, &wanted.currency)
    }
}

/// Whether two addresses are one: EVM addresses compare without regard to case.
#[must_use]
pub fn same_address(a: &str, b: &str) -> bool {
    if a.starts_with("0x") && b.starts_with("0x") { a.eq_ignore_ascii_case(b) } else { a == b }
}

/// Where the payment of a call stands, as last heard from the provider.
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
    /// It was given back.
    Refunded,
}

/// A quote and what became of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The provider's id of it.
    pub id: String,
    /// What is paid in.
    pub origin_currency: OriginCurrency,
    /// Who pays.
    pub pay_from: PayFrom,
    /// What it must bring about.
    pub expected: ExpectedPayout,
    /// Until when the quote is offered (Unix milliseconds).
    pub expires_ms: i64,
    /// Until when the provider fills it (Unix milliseconds).
    pub ttl_ms: i64,
    /// What the buyer has to do, as JSON text.
    pub requirements: String,
    /// Where it stands.
    pub state: PaymentState,
}

impl std::fmt::Debug for Payment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payment").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

/// One try at the seller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1, 2, 3 …
    pub n: u32,
    /// When it began (Unix milliseconds).
    pub started_ms: i64,
    /// How long it took (milliseconds); `None` while it runs.
    pub latency_ms: Option<i64>,
    /// Length of what was sent.
    pub request_bytes: u64,
    /// Length of what came back.
    pub response_bytes: Option<u64>,
    /// `delivered`, or a `SELLER_` code; `None` while it runs.
    pub outcome: Option<Outcome>,
    /// The seller's HTTP status, where there was one.
    pub seller_status_code: Option<u16>,
}

/// Where a stored answer is, and how to know it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAnswer {
    /// The attempt that brought it.
    pub attempt: u32,
    /// In how many parts it is stored.
    pub parts: usize,
    /// SHA-256 in hex of the whole reply body, uncompressed.
    pub sha256: String,
    /// Until when it is kept (Unix milliseconds).
    pub kept_until_ms: i64,
}

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptReport {
    /// How long it took.
    pub latency_ms: i64,
    /// How long the answer was, where one came.
    pub response_bytes: Option<u64>,
    /// The seller's status, where one came.
    pub seller_status_code: Option<u16>,
    /// Delivered, or how it failed.
    pub outcome: Outcome,
}
