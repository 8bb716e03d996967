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
    /// The marketplace was paid.
    MarketplaceFee,
    /// What is owed, waived or reversed afterwards.
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

/// Whose books an entry stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "of", content = "profile")]
pub enum Account {
    /// The buyer's.
    Buyer(ProfileId),
    /// The seller's.
    Seller(ProfileId),
    /// The operator's; in no index, so that no partition is written by every call.
    Marketplace,
}

/// How an adjustment stands.
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

/// One line of the books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// `led_…`, derived from the call and the type.
    pub id: String,
    /// What it records.
    #[serde(rename = "type")]
    pub entry_type: EntryType,
    /// Whose it is.
    pub account: Account,
    /// Signed: what this account gained.
    pub amount: Micros,
    /// The call.
    pub call: CallId,
    /// The listing.
    pub listing: ListingId,
    /// The provider's id of the payment.
    pub payment_id: String,
    /// Where it is stored beside the call: one entry for each.
    pub slot: String,
    /// For adjustments.
    pub settlement: Option<Settlement>,
    /// When it was written (Unix milliseconds).
    pub created_ms: i64,
}

/// The three entries of a settlement: −price, seller's part, fee. They sum to zero.
#[must_use]
pub fn settlement(call: &Call, now_ms: i64) -> [Entry; 3] {
    let line = |entry_type: EntryType, account, amount| entry(call, entry_type, entry_type.as_str(), account, amount, now_ms);
    [
        line(EntryType::Payment, Account::Buyer(call.buyer), call.split.price.negated()),
        line(EntryType::SellerCredit, Account::Seller(call.seller), call.split.seller_receives),
        line(EntryType::MarketplaceFee, Account::Marketplace, call.split.fee),
    ]
}

/// What is owed when a paid call was never delivered: seller and marketplace owe the buyer what they were paid. The three
/// entries sum to zero, and stay open until it is paid back outside.
#[must_use]
pub fn undelivered(call: &Call, now_ms: i64) -> [Entry; 3] {
    let line = |slot, account, amount| {
        let mut line = entry(call, EntryType::Adjustment, slot, account, amount, now_ms);
        line.settlement = Some(Settlement::Open);
        line
    };
    [
        line("undelivered-buyer", Account::Buyer(call.buyer), call.split.price),
        line("undelivered-seller", Account::Seller(call.seller), call.split.seller_receives.negated()),
        line("undelivered-fee", Account::Marketplace, call.split.fee.negated()),
    ]
}

fn entry(call: &Call, entry_type: EntryType, slot: &str, account: Account, amount: Micros, now_ms: i64) -> Entry {
    Entry {
        id: call.id.entry_id(slot, from_unix_ms(now_ms)),
        entry_type,
        account,
        amount,
        call: call.id,
        listing: call.listing.id,
        payment_id: call.payment.as_ref().map(|payment| payment.id.clone()).unwrap_or_default(),
        slot: slot.to_owned(),
        settlement: None,
        created_ms: now_ms,
    }
}
