//! The ledger: append-only entries that sum to zero over the accounts of a call.
//!
//! What one move writes is one record: all its legs at once, so that the sum is zero at every moment. The ids of entries derive from
//! the call and the record's name, so that nothing can be written twice.

use serde::{Deserialize, Serialize};

use super::Call;
pub use super::parts::Settlement;
use crate::ids::{CallId, ListingId, ProfileId};
use crate::money::Micros;
use crate::timestamp::from_unix_ms;
use crate::wire_enum::wire_enum;

wire_enum! {
    /// What an entry records.
    pub enum EntryType {
        /// The buyer paid.
        Payment = "payment",
        /// The seller was paid.
        SellerCredit = "seller_credit",
        /// The marketplace received its fee.
        MarketplaceFee = "marketplace_fee",
        /// An amount is owed, paid back, waived or reversed after the settlement.
        Adjustment = "adjustment",
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

/// Which move a ledger record belongs to. There is at most one record of each in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LedgerMove {
    /// The payment settled.
    Settlement,
    /// The payment was refunded after its settlement, before a delivery.
    Reversal,
    /// The call was never delivered: the seller owes its share to the buyer.
    OwedBySeller,
    /// The call was never delivered: the operator owes the fee to the buyer.
    OwedByOperator,
    /// The seller has paid its share back.
    PaidBackBySeller,
    /// The operator has paid the fee back.
    PaidBackByOperator,
    /// The buyer has given up what the seller owes, or an operator has decided so.
    WaivedOfSeller,
    /// The buyer has given up what the operator owes.
    WaivedOfOperator,
}

impl LedgerMove {
    /// The record's sort key after `ENTRY#`, and part of the ids of its entries.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Settlement => "settlement",
            Self::Reversal => "reversal",
            Self::OwedBySeller => "owed-by-seller",
            Self::OwedByOperator => "owed-by-operator",
            Self::PaidBackBySeller => "paid-back-by-seller",
            Self::PaidBackByOperator => "paid-back-by-operator",
            Self::WaivedOfSeller => "waived-of-seller",
            Self::WaivedOfOperator => "waived-of-operator",
        }
    }
}

/// The ledger record of one move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRecord {
    /// The move.
    #[serde(rename = "move")]
    pub of: LedgerMove,
    /// The call.
    pub call: CallId,
    /// The listing.
    pub listing: ListingId,
    /// The provider's id for the call's payment.
    pub payment_id: String,
    /// When it was written (Unix milliseconds).
    pub created_ms: i64,
    /// Its legs. They sum to zero.
    pub legs: Vec<Leg>,
}

/// One leg of a ledger record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// What it records.
    #[serde(rename = "type")]
    pub entry_type: EntryType,
    /// Its account.
    pub account: Account,
    /// Signed amount; positive means that this account gained.
    pub amount: Micros,
    /// Of the fee's leg in a settlement: what the provider collected for the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_collected: Option<Micros>,
}

/// A ledger entry, as the owner of its account sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// `led_…`, derived from the call, the move and the leg.
    pub id: String,
    /// The move that it belongs to.
    pub of: LedgerMove,
    /// The leg.
    pub leg: Leg,
    /// The call.
    pub call: CallId,
    /// The listing.
    pub listing: ListingId,
    /// The provider's id for the payment.
    pub payment_id: String,
    /// When it was written (Unix milliseconds).
    pub created_ms: i64,
}

impl LedgerRecord {
    /// The record's id: its place in the order of an account.
    #[must_use]
    pub fn id(&self) -> String {
        self.call.entry_id(self.of.name(), from_unix_ms(self.created_ms))
    }

    /// Its entries.
    pub fn entries(&self) -> impl Iterator<Item = LedgerEntry> {
        self.legs.iter().enumerate().map(|(n, leg)| LedgerEntry {
            id: self.call.entry_id(&format!("{}/{n}", self.of.name()), from_unix_ms(self.created_ms)),
            of: self.of,
            leg: *leg,
            call: self.call,
            listing: self.listing,
            payment_id: self.payment_id.clone(),
            created_ms: self.created_ms,
        })
    }

    /// The buyer and the seller in it, for the indexes.
    #[must_use]
    pub fn parties(&self) -> (Option<ProfileId>, Option<ProfileId>) {
        let mut parties = (None, None);
        for leg in &self.legs {
            match leg.account {
                Account::Buyer(buyer) => parties.0 = Some(buyer),
                Account::Seller(seller) => parties.1 = Some(seller),
                Account::Marketplace => {}
            }
        }
        parties
    }
}

impl LedgerEntry {
    /// Status of the debt that an adjustment records or pays; `None` for other entries. `call` is the entry's call.
    #[must_use]
    pub fn settlement(&self, call: &Call) -> Option<Settlement> {
        match self.of {
            LedgerMove::Settlement => None,
            LedgerMove::OwedBySeller => Some(call.debts.seller),
            LedgerMove::OwedByOperator => Some(call.debts.operator),
            LedgerMove::Reversal | LedgerMove::PaidBackBySeller | LedgerMove::PaidBackByOperator => Some(Settlement::Settled),
            LedgerMove::WaivedOfSeller | LedgerMove::WaivedOfOperator => Some(Settlement::Waived),
        }
    }
}

/// The settlement of a call: minus the price, the seller's share, and the fee.
#[must_use]
pub fn settlement(call: &Call, now_ms: i64) -> LedgerRecord {
    let fee_collected = call.payment.as_ref().map(|payment| payment.fee_collected);
    let legs = vec![
        leg(EntryType::Payment, Account::Buyer(call.buyer), call.split.price.negated()),
        leg(EntryType::SellerCredit, Account::Seller(call.seller), call.split.seller_receives),
        Leg { fee_collected, ..leg(EntryType::MarketplaceFee, Account::Marketplace, call.split.fee) },
    ];
    record(call, LedgerMove::Settlement, legs, now_ms)
}

/// The payment was refunded after its settlement: the legs of the settlement, the other way round.
#[must_use]
pub fn reversal(call: &Call, now_ms: i64) -> LedgerRecord {
    let legs = vec![
        leg(EntryType::Adjustment, Account::Buyer(call.buyer), call.split.price),
        leg(EntryType::Adjustment, Account::Seller(call.seller), call.split.seller_receives.negated()),
        leg(EntryType::Adjustment, Account::Marketplace, call.split.fee.negated()),
    ];
    record(call, LedgerMove::Reversal, legs, now_ms)
}

/// A paid call was never delivered: seller and operator each owe the buyer what they received.
#[must_use]
pub fn undelivered(call: &Call, now_ms: i64) -> [LedgerRecord; 2] {
    [
        by_seller(call, LedgerMove::OwedBySeller, call.split.seller_receives, now_ms),
        by_operator(call, LedgerMove::OwedByOperator, call.split.fee, now_ms),
    ]
}

/// The seller has paid its share back: what was owed is owed no more, or, at a delivered call, was given back.
#[must_use]
pub fn paid_back_by_seller(call: &Call, now_ms: i64) -> LedgerRecord {
    by_seller(call, LedgerMove::PaidBackBySeller, paid_back(call, call.split.seller_receives), now_ms)
}

/// The operator has paid the fee back.
#[must_use]
pub fn paid_back_by_operator(call: &Call, now_ms: i64) -> LedgerRecord {
    by_operator(call, LedgerMove::PaidBackByOperator, paid_back(call, call.split.fee), now_ms)
}

/// What the seller owes was given up.
#[must_use]
pub fn waived_of_seller(call: &Call, now_ms: i64) -> LedgerRecord {
    by_seller(call, LedgerMove::WaivedOfSeller, call.split.seller_receives.negated(), now_ms)
}

/// What the operator owes was given up.
#[must_use]
pub fn waived_of_operator(call: &Call, now_ms: i64) -> LedgerRecord {
    by_operator(call, LedgerMove::WaivedOfOperator, call.split.fee.negated(), now_ms)
}

/// The claim of an undelivered call ends by being paid. At a delivered call there was no claim: the amount moves to the buyer.
fn paid_back(call: &Call, amount: Micros) -> Micros {
    if call.state == super::CallState::Undelivered { amount.negated() } else { amount }
}

fn by_seller(call: &Call, of: LedgerMove, to_buyer: Micros, now_ms: i64) -> LedgerRecord {
    pair(call, of, Account::Seller(call.seller), to_buyer, now_ms)
}

fn by_operator(call: &Call, of: LedgerMove, to_buyer: Micros, now_ms: i64) -> LedgerRecord {
    pair(call, of, Account::Marketplace, to_buyer, now_ms)
}

fn pair(call: &Call, of: LedgerMove, debtor: Account, to_buyer: Micros, now_ms: i64) -> LedgerRecord {
    let legs = vec![
        leg(EntryType::Adjustment, Account::Buyer(call.buyer), to_buyer),
        leg(EntryType::Adjustment, debtor, to_buyer.negated()),
    ];
    record(call, of, legs, now_ms)
}

fn leg(entry_type: EntryType, account: Account, amount: Micros) -> Leg {
    Leg { entry_type, account, amount, fee_collected: None }
}

fn record(call: &Call, of: LedgerMove, legs: Vec<Leg>, now_ms: i64) -> LedgerRecord {
    LedgerRecord {
        of,
        call: call.id,
        listing: call.listing.id,
        payment_id: call.payment.as_ref().map(|payment| payment.id.clone()).unwrap_or_default(),
        created_ms: now_ms,
        legs,
    }
}
