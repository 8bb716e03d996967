//! The ledger: append-only entries that sum to zero over the accounts of a call.

use serde::{Deserialize, Serialize};

use super::Call;
use crate::ids::{CallId, ListingId, ProfileId};
use crate::money::Micros;
use crate::timestamp::from_unix_ms;

/// What an entry records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryType {
    /// The buyer paid.
    Payment,
    /// The seller was paid.
    SellerCredit,
    /// The marketplace received its fee.
    MarketplaceFee,
    /// An amount is owed, waived or reversed after the settlement.
    Adjustment,
}

impl EntryType {
    /// Every value.
    pub const ALL: &'static [Self] = &[Self::Payment, Self::SellerCredit, Self::MarketplaceFee, Self::Adjustment];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::SellerCredit => "seller_credit",
            Self::MarketplaceFee => "marketplace_fee",
            Self::Adjustment => "adjustment",
        }
    }

    /// Reads the name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|t| t.as_str() == text)
    }
}

/// The account of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "of", content = "profile")]
pub enum Account {
    /// The buyer's.
    Buyer(ProfileId),
    /// The seller's.
    Seller(ProfileId),
    /// The operator's. It is in no index, so that no single index partition is written by every call.
    Marketplace,
}

/// Status of an adjustment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// Owed.
    Open,
    /// Paid.
    Settled,
    /// Given up.
    Waived,
}

impl Settlement {
    /// Every value.
    pub const ALL: &'static [Self] = &[Self::Open, Self::Settled, Self::Waived];
}

/// A ledger entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// `led_…`, derived from the call and the entry type.
    pub id: String,
    /// What it records.
    #[serde(rename = "type")]
    pub entry_type: EntryType,
    /// Its account.
    pub account: Account,
    /// Signed amount; positive means that this account gained.
    pub amount: Micros,
    /// The call.
    pub call: CallId,
    /// The listing.
    pub listing: ListingId,
    /// The provider's id for the payment.
    pub payment_id: String,
    /// The `<what>` of its sort key `ENTRY#<what>`, unique within the call.
    pub entry_key: String,
    /// Status of an adjustment; `None` for other entries.
    pub settlement: Option<Settlement>,
    /// When it was written (Unix milliseconds).
    pub created_ms: i64,
}

/// The three entries of a settlement: minus the price, the seller's share, and the fee. They sum to zero.
#[must_use]
pub fn settlement(call: &Call, now_ms: i64) -> [LedgerEntry; 3] {
    let line = |entry_type: EntryType, account, amount| entry(call, entry_type, entry_type.as_str(), account, amount, now_ms);
    [
        line(EntryType::Payment, Account::Buyer(call.buyer), call.split.price.negated()),
        line(EntryType::SellerCredit, Account::Seller(call.seller), call.split.seller_receives),
        line(EntryType::MarketplaceFee, Account::Marketplace, call.split.fee),
    ]
}

/// The entries for a paid call that was never delivered: seller and marketplace each owe the buyer what they received. The three
/// entries sum to zero, and stay open until the money is paid back outside Crochet.
#[must_use]
pub fn undelivered(call: &Call, now_ms: i64) -> [LedgerEntry; 3] {
    let line = |entry_key, account, amount| {
        let mut line = entry(call, EntryType::Adjustment, entry_key, account, amount, now_ms);
        line.settlement = Some(Settlement::Open);
        line
    };
    [
        line("undelivered-buyer", Account::Buyer(call.buyer), call.split.price),
        line("undelivered-seller", Account::Seller(call.seller), call.split.seller_receives.negated()),
        line("undelivered-fee", Account::Marketplace, call.split.fee.negated()),
    ]
}

fn entry(call: &Call, entry_type: EntryType, entry_key: &str, account: Account, amount: Micros, now_ms: i64) -> LedgerEntry {
    LedgerEntry {
        id: call.id.entry_id(entry_key, from_unix_ms(now_ms)),
        entry_type,
        account,
        amount,
        call: call.id,
        listing: call.listing.id,
        payment_id: call.payment.as_ref().map(|payment| payment.id.clone()).unwrap_or_default(),
        entry_key: entry_key.to_owned(),
        settlement: None,
        created_ms: now_ms,
    }
}
