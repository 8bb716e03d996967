//! How a call is stored: short names and binary ids, so that it fits into one kilobyte, which is one write unit.
//!
//! What the provider wants the buyer to do is written once and never moves with the call: see
//! [`Store::requirements`](super::Store::requirements).

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::StoreError;
use super::item::{Item, record};
use super::keys::{PK, call_of_partition};
use crochet_domain::call::outcome::{Outcome, Unreadable};
use crochet_domain::call::{
    Attempt, Call, CallKey, CallState, CalledListing, Debts, ExpectedPayout, PayFrom, Payment, PaymentState, StoredResponse,
};
use crochet_domain::currency::{OriginCurrency, payout_token};
use crochet_domain::ids::{CallId, ListingId, ProfileId, WalletId};
use crochet_domain::money::{Micros, PriceSplit};
use crochet_domain::unknown::Unknown;
use crochet_domain::wallet::Chain;

/// The call in an item, or the call that the item points to.
pub(super) enum CallOrPointer {
    Call(Box<Call>),
    /// The provider has put another payment in the place of this one.
    Pointer(CallKey),
    /// The payment is a refund, and not that of a call.
    Refund,
}

/// Reads an item at the key of a call.
///
/// # Errors
/// [`StoreError::Defect`] if it is not a call.
pub(super) fn read_call(item: Item) -> Result<CallOrPointer, StoreError> {
    let key = item.get(PK).and_then(|pk| pk.as_s().ok()).and_then(|pk| call_of_partition(pk));
    if let Some(to) = item.get("to").and_then(|to| to.as_s().ok()) {
        return Ok(CallOrPointer::Pointer(CallKey::from_stored(to.clone())));
    }
    if item.contains_key("refund") {
        return Ok(CallOrPointer::Refund);
    }
    let stored: StoredCall = record(item)?;
    let key = key.ok_or_else(|| StoreError::Defect("a call is stored under the key of something else".into()))?;
    stored.into_call(&key).map(|call| CallOrPointer::Call(Box::new(call)))
}

/// A call's item, without its keys.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredCall {
    id: CallId,
    #[serde(rename = "b")]
    buyer: Bytes,
    #[serde(rename = "s")]
    seller: Bytes,
    #[serde(rename = "l")]
    listing: Bytes,
    slug: String,
    name: String,
    #[serde(rename = "sha")]
    body_sha256: Bytes,
    #[serde(rename = "key", default, skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
    #[serde(rename = "rnd", default, skip_serializing_if = "is_zero")]
    round: u32,
    price: Micros,
    fee: Micros,
    bps: u16,
    #[serde(rename = "pay", default, skip_serializing_if = "Option::is_none")]
    payment: Option<StoredPayment>,
    #[serde(rename = "st")]
    status: Status,
    #[serde(rename = "att", default, skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<StoredAttempt>,
    #[serde(rename = "vain", default, skip_serializing_if = "Option::is_none")]
    in_vain_ms: Option<i64>,
    #[serde(rename = "ep", default, skip_serializing_if = "Option::is_none")]
    tried_endpoint: Option<String>,
    #[serde(rename = "debt", default, skip_serializing_if = "Option::is_none")]
    debts: Option<Debts>,
    #[serde(rename = "due", default, skip_serializing_if = "Option::is_none")]
    due_ms: Option<i64>,
    #[serde(rename = "paid", default, skip_serializing_if = "Option::is_none")]
    settled_ms: Option<i64>,
    #[serde(rename = "upd")]
    updated_ms: i64,
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "w")]
    write_token: String,
    #[serde(flatten)]
    unknown: Unknown,
}

#[derive(Serialize, Deserialize)]
struct StoredPayment {
    #[serde(rename = "c")]
    origin_currency: OriginCurrency,
    #[serde(rename = "w")]
    wallet: Bytes,
    #[serde(rename = "from")]
    payer: String,
    #[serde(rename = "to")]
    recipient: String,
    /// The chain family of the payout. Chain, token and amount follow from it and the split.
    #[serde(rename = "on")]
    payout: Chain,
    #[serde(rename = "exp")]
    expires_ms: i64,
    #[serde(rename = "ttl")]
    ttl_ms: i64,
    #[serde(rename = "fee")]
    fee_collected: Micros,
    #[serde(rename = "st")]
    state: PaymentState,
    #[serde(flatten)]
    unknown: Unknown,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    #[serde(rename = "q")]
    Quoted,
    #[serde(rename = "p")]
    Pending,
    #[serde(rename = "s")]
    Settled,
    #[serde(rename = "d")]
    Delivering(i64, String),
    #[serde(rename = "ok")]
    Delivered(Option<(u32, usize, Bytes, i64)>),
    #[serde(rename = "un")]
    Undelivered,
    #[serde(rename = "x")]
    Expired,
}

#[derive(Serialize, Deserialize)]
struct StoredAttempt {
    n: u32,
    at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ms: Option<i64>,
    #[serde(rename = "in")]
    request_bytes: u64,
    #[serde(rename = "out", default, skip_serializing_if = "Option::is_none")]
    response_bytes: Option<u64>,
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    #[serde(rename = "st", default, skip_serializing_if = "Option::is_none")]
    seller_status_code: Option<u16>,
    #[serde(rename = "why", default, skip_serializing_if = "Option::is_none")]
    unreadable: Option<Unreadable>,
    #[serde(flatten)]
    unknown: Unknown,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(round: &u32) -> bool {
    *round == 0
}

impl StoredCall {
    pub(super) fn of(call: &Call) -> Result<Self, StoreError> {
        Ok(Self {
            id: call.id,
            buyer: Bytes(call.buyer.to_bytes().to_vec()),
            seller: Bytes(call.seller.to_bytes().to_vec()),
            listing: Bytes(call.listing.id.to_bytes().to_vec()),
            slug: call.listing.slug.clone(),
            name: call.listing.name.clone(),
            body_sha256: Bytes::of_hex(&call.body_sha256)?,
            idempotency_key: call.idempotency_key.clone(),
            round: call.round,
            price: call.split.price,
            fee: call.split.fee,
            bps: call.split.fee_bps,
            payment: call.payment.as_ref().map(StoredPayment::of),
            status: Status::of(&call.state)?,
            attempts: call.attempts.iter().map(StoredAttempt::of).collect(),
            in_vain_ms: call.in_vain_ms,
            // Who waits for another attempt asks which endpoint the last one was for.
            tried_endpoint: call.tried_endpoint.clone().filter(|_| !matches!(call.state, CallState::Delivered { .. })),
            debts: Some(call.debts).filter(|debts| *debts != Debts::default()),
            due_ms: call.due_ms,
            settled_ms: call.settled_ms,
            updated_ms: call.updated_ms,
            version: call.version,
            write_token: call.write_token.clone(),
            unknown: call.unknown.clone(),
        })
    }

    fn into_call(self, key: &CallKey) -> Result<Call, StoreError> {
        let split =
            PriceSplit { price: self.price, fee: self.fee, seller_receives: Micros(self.price.0 - self.fee.0), fee_bps: self.bps };
        let payment = self.payment.map(|payment| payment.into_payment(key, split)).transpose()?;
        Ok(Call {
            id: self.id,
            buyer: ProfileId::from_bytes(self.buyer.array()?),
            seller: ProfileId::from_bytes(self.seller.array()?),
            listing: CalledListing { id: ListingId::from_bytes(self.listing.array()?), slug: self.slug, name: self.name },
            body_sha256: hex::encode(&self.body_sha256.0),
            idempotency_key: self.idempotency_key,
            round: self.round,
            split,
            payment,
            state: self.status.into_state(),
            attempts: self.attempts.into_iter().map(StoredAttempt::into_attempt).collect(),
            in_vain_ms: self.in_vain_ms,
            tried_endpoint: self.tried_endpoint,
            debts: self.debts.unwrap_or_default(),
            due_ms: self.due_ms,
            settled_ms: self.settled_ms,
            created_ms: self.id.created_ms(),
            updated_ms: self.updated_ms,
            version: self.version,
            write_token: self.write_token,
            unknown: self.unknown,
        })
    }
}

impl StoredPayment {
    fn of(payment: &Payment) -> Self {
        let on_solana = payment.expected.chain_id == payout_token(Chain::Solana).chain_id;
        Self {
            origin_currency: payment.origin_currency,
            wallet: Bytes(payment.pay_from.wallet_id.to_bytes().to_vec()),
            payer: payment.pay_from.address.clone(),
            recipient: payment.expected.recipient.clone(),
            payout: if on_solana { Chain::Solana } else { Chain::Evm },
            expires_ms: payment.expires_ms,
            ttl_ms: payment.ttl_ms,
            fee_collected: payment.fee_collected,
            state: payment.state,
            unknown: payment.unknown.clone(),
        }
    }

    fn into_payment(self, key: &CallKey, split: PriceSplit) -> Result<Payment, StoreError> {
        let (provider, id) = key.payment().ok_or_else(|| StoreError::Defect("a paid call is stored as a free one".into()))?;
        let token = payout_token(self.payout);
        Ok(Payment {
            provider: provider.to_owned(),
            id: id.to_owned(),
            origin_currency: self.origin_currency,
            pay_from: PayFrom {
                wallet_id: WalletId::from_bytes(self.wallet.array()?),
                address: self.payer,
                chain: self.origin_currency.chain(),
            },
            expected: ExpectedPayout {
                recipient: self.recipient,
                chain_id: token.chain_id,
                currency: token.address.to_owned(),
                output: u64::try_from(split.seller_receives.0).unwrap_or(0),
            },
            expires_ms: self.expires_ms,
            ttl_ms: self.ttl_ms,
            fee_collected: self.fee_collected,
            state: self.state,
            unknown: self.unknown,
        })
    }
}

impl Status {
    fn of(state: &CallState) -> Result<Self, StoreError> {
        Ok(match state {
            CallState::Quoted => Self::Quoted,
            CallState::Pending => Self::Pending,
            CallState::Settled => Self::Settled,
            CallState::Delivering { lease_until_ms, token } => Self::Delivering(*lease_until_ms, token.clone()),
            CallState::Delivered { response } => {
                let response = response.as_ref();
                let stored =
                    response.map(|r| Ok::<_, StoreError>((r.attempt, r.parts, Bytes::of_hex(&r.sha256)?, r.kept_until_ms)));
                Self::Delivered(stored.transpose()?)
            }
            CallState::Undelivered => Self::Undelivered,
            CallState::Expired => Self::Expired,
        })
    }

    fn into_state(self) -> CallState {
        match self {
            Self::Quoted => CallState::Quoted,
            Self::Pending => CallState::Pending,
            Self::Settled => CallState::Settled,
            Self::Delivering(lease_until_ms, token) => CallState::Delivering { lease_until_ms, token },
            Self::Delivered(response) => CallState::Delivered {
                response: response.map(|(attempt, parts, sha256, kept_until_ms)| StoredResponse {
                    attempt,
                    parts,
                    sha256: hex::encode(sha256.0),
                    kept_until_ms,
                }),
            },
            Self::Undelivered => CallState::Undelivered,
            Self::Expired => CallState::Expired,
        }
    }
}

impl StoredAttempt {
    fn of(attempt: &Attempt) -> Self {
        Self {
            n: attempt.n,
            at: attempt.started_ms,
            ms: attempt.latency_ms,
            request_bytes: attempt.request_bytes,
            response_bytes: attempt.response_bytes,
            outcome: attempt.outcome,
            seller_status_code: attempt.seller_status_code,
            unreadable: attempt.unreadable,
            unknown: attempt.unknown.clone(),
        }
    }

    fn into_attempt(self) -> Attempt {
        Attempt {
            n: self.n,
            started_ms: self.at,
            latency_ms: self.ms,
            request_bytes: self.request_bytes,
            response_bytes: self.response_bytes,
            outcome: self.outcome,
            seller_status_code: self.seller_status_code,
            unreadable: self.unreadable,
            unknown: self.unknown,
        }
    }
}

/// Bytes, stored as DynamoDB's binary type.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn of_hex(text: &str) -> Result<Self, StoreError> {
        hex::decode(text).map(Self).map_err(StoreError::defect)
    }

    fn array<const N: usize>(&self) -> Result<[u8; N], StoreError> {
        self.0.as_slice().try_into().map_err(StoreError::defect)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl Visitor<'_> for Read {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }

            fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
        }

        deserializer.deserialize_byte_buf(Read)
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::super::call::call_put;
    use super::super::units::item_size;
    use super::*;
    use crochet_domain::call::AttemptReport;
    use crochet_domain::money::FeeRate;

    /// A paid call with names of ordinary length, quoted a moment ago.
    fn quoted() -> Call {
        let now = OffsetDateTime::from_unix_timestamp(1_790_000_000).expect("a date");
        let now_ms = 1_790_000_000_000;
        let split = PriceSplit::of(Micros(1_000_000), FeeRate::from_bps(490).expect("a rate"));
        let token = payout_token(Chain::Solana);
        Call {
            id: CallId::generate(now),
            buyer: ProfileId::generate(now),
            seller: ProfileId::generate(now),
            listing: CalledListing {
                id: ListingId::generate(now),
                slug: "summaries-of-long-texts".into(),
                name: "Summaries of long texts".into(),
            },
            body_sha256: "5a".repeat(32),
            idempotency_key: None,
            round: 0,
            split,
            payment: Some(Payment {
                provider: "rail".into(),
                id: format!("0x{}", "5a".repeat(32)),
                origin_currency: OriginCurrency::Sol,
                pay_from: PayFrom { wallet_id: WalletId::generate(now), address: "b".repeat(44), chain: Chain::Solana },
                expected: ExpectedPayout {
                    recipient: "c".repeat(44),
                    chain_id: token.chain_id,
                    currency: token.address.to_owned(),
                    output: 951_000,
                },
                expires_ms: now_ms,
                ttl_ms: now_ms,
                fee_collected: Micros(49_065),
                state: PaymentState::Waiting,
                unknown: Unknown::default(),
            }),
            state: CallState::Quoted,
            attempts: Vec::new(),
            in_vain_ms: None,
            tried_endpoint: None,
            debts: Debts::default(),
            due_ms: Some(now_ms),
            settled_ms: None,
            created_ms: now_ms,
            updated_ms: now_ms,
            version: 1,
            write_token: "0123456789abcdef".into(),
            unknown: Unknown::default(),
        }
    }

    fn moves() -> [Call; 3] {
        let quoted = quoted();
        let now_ms = quoted.created_ms;
        let leased = quoted.clone().settled(Some(Micros(49_065)), now_ms).begun("0123456789abcdef".into(), now_ms, 1_000, now_ms);
        let leased = Call { tried_endpoint: Some("01234567".into()), ..leased };
        let report = AttemptReport {
            latency_ms: 1_000,
            response_bytes: Some(1_000),
            seller_status_code: Some(200),
            outcome: Outcome::Delivered,
            unreadable: None,
        };
        let response = StoredResponse { attempt: 1, parts: 1, sha256: "5a".repeat(32), kept_until_ms: now_ms };
        let delivered = leased.clone().ended(&report, Some(response), now_ms);
        [quoted, leased, delivered]
    }

    #[test]
    fn a_call_fits_into_one_write_unit_from_its_quote_to_its_delivery() {
        for call in moves() {
            let size = item_size(&call_put(&call).expect("an item").item);
            assert!(size <= 1_024, "{}: {size} bytes", call.state.as_str());
        }
    }

    #[test]
    fn a_call_is_read_as_it_was_written() {
        for call in moves() {
            let item = call_put(&call).expect("an item").item;
            let CallOrPointer::Call(read) = read_call(item).expect("a call") else { panic!("a call") };
            assert_eq!(Call { tried_endpoint: call.tried_endpoint.clone(), ..*read }, call);
        }
    }
}
