//! Refunds: the payments that were offered to a seller, and those that were paid.

use super::call::{call_put, ledger_put, next_version};
use super::conditional::WriteError;
use super::item::{Item, n, record, s};
use super::keys::Key;
use super::record::{packed, unpacked};
use super::transaction::TransactError;
use super::write::{Condition, Put, Update};
use super::{Store, StoreError, keys};
use crochet_domain::call::{Call, CallKey, Payment};
use crochet_domain::ids::{ProfileId, RefundId};
use crochet_domain::refund::{PaidRefund, RefundKey, RefundRecord, Settled};
use crochet_domain::timestamp::from_unix_ms;

/// Time that a record is kept after its last payment could be filled. A paid refund is kept for ever: it is the proof that the
/// buyer was paid.
const RECORD_KEPT_SECONDS: i64 = 40 * 86_400;
/// Name of the attribute that leads from a payment to the record of its refund.
const REFUND: &str = "refund";

/// Why a refund's payment was not stored.
#[derive(Debug, thiserror::Error)]
pub enum OfferRefundError {
    /// The provider returned the id of an earlier payment.
    #[error("the payment's id is already known")]
    PaymentIdKnown,
    /// A parallel request was first to write the record. Read it again.
    #[error("a parallel request was first to write the refund's record")]
    Raced,
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn record_put(record: &RefundRecord, now_ms: i64) -> Result<Put, StoreError> {
    let last_ttl_ms = record.payments.iter().map(|offered| offered.payment.ttl_ms).max();
    let newest = record.payments.first().map(|offered| offered.refund);
    let due = newest.zip(record.due_ms(now_ms)).map(|(id, due)| keys::refund_due(id, from_unix_ms(due)));
    Ok(Put::new(&keys::refund(&record.key), "refund", record)?
        .indexed_or_not(keys::GSI3, due)
        .expiring(last_ttl_ms.unwrap_or(now_ms).max(now_ms) / 1_000 + RECORD_KEPT_SECONDS)
        .when(Condition::absent_or_equals("version", n(record.version.saturating_sub(1)))))
}

/// The item under a payment's id that says that it is a refund. It lives for ever, so that no id of the provider counts twice.
fn pointer_put(payment: &CallKey, to: &RefundKey) -> Result<Put, StoreError> {
    let nothing_else = serde_json::Map::new();
    Ok(Put::new(&keys::call(payment), "refund_pointer", &nothing_else)?.with(REFUND, s(pointer(to))))
}

fn pointer(to: &RefundKey) -> String {
    let Key { pk, sk } = keys::refund(to);
    format!("{pk} {sk}")
}

fn pointed_to(item: &Item) -> Option<RefundKey> {
    let (pk, sk) = item.get(REFUND)?.as_s().ok()?.split_once(' ')?;
    keys::parse_refund(&Key { pk: pk.to_owned(), sk: sk.to_owned() })
}

fn key_of(payment: &Payment) -> CallKey {
    CallKey::of_payment(&payment.provider, &payment.id)
}

impl Store {
    /// The record of what a refund is for; an empty one if nothing was offered.
    pub async fn refund_record(&self, key: RefundKey) -> Result<RefundRecord, StoreError> {
        Ok(self.table.get(&keys::refund(&key)).await?.unwrap_or_else(|| RefundRecord::empty(key)))
    }

    /// What the refund with this payment is for; `None` if it is the payment of a call, or unknown.
    pub async fn refund_of_payment(&self, payment: &CallKey) -> Result<Option<RefundKey>, StoreError> {
        let mut found = self.table.get_all(&[keys::call(payment)]).await?;
        Ok(found.take_item(&keys::call(payment)).as_ref().and_then(pointed_to))
    }

    /// Lets a payment that the provider put in the place of a refund's lead to the refund. `false` if it belongs to something else.
    pub async fn point_to_refund(&self, from: &CallKey, to: &RefundKey) -> Result<bool, StoreError> {
        match self.table.put(pointer_put(from, to)?.when(Condition::absent())).await {
            Ok(()) => Ok(true),
            Err(error) => Ok(error.found()?.as_ref().and_then(pointed_to) == Some(*to)),
        }
    }

    /// What the seller has to do to pay a refund, as JSON text. A quote that has been over for a day has none.
    pub async fn refund_requirements(&self, seller: ProfileId, payment_id: &str) -> Result<Option<String>, StoreError> {
        let key = keys::refund_requirements(seller, payment_id);
        let mut found = self.table.get_all(std::slice::from_ref(&key)).await?;
        found.take_item(&key).as_ref().map(unpacked).transpose()
    }

    /// Stores the next version of a record whose newest payment was just quoted, together with the payment's requirements, all or
    /// nothing. The quote may be shown only if this succeeds.
    pub async fn offer_refund(&self, record: &RefundRecord, requirements: &str, now_ms: i64) -> Result<(), OfferRefundError> {
        let Some(offered) = record.payments.first() else { return Ok(()) };
        let (seller, payment) = (record.key.seller, &offered.payment);
        let requirements = packed(&keys::refund_requirements(seller, &payment.id), requirements, payment.ttl_ms)?;
        let operations = vec![
            record_put(record, now_ms)?.into_transact_item(&self.table)?,
            pointer_put(&key_of(payment), &record.key)?.when(Condition::absent()).into_transact_item(&self.table)?,
            requirements.into_transact_item(&self.table)?,
        ];
        match self.table.transact(operations).await {
            Ok(()) => Ok(()),
            // The reply was lost, and the SDK tried again.
            Err(TransactError::ConditionFailed { index: 0, found }) if lists(found.clone(), &payment.id)? => Ok(()),
            Err(TransactError::ConditionFailed { index: 1, .. }) => Err(OfferRefundError::PaymentIdKnown),
            Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => Err(OfferRefundError::Raced),
            Err(TransactError::Store(error)) => Err(error.into()),
        }
    }

    /// Writes the next version of a record. `false` if a parallel request was first: read it again.
    pub async fn put_refund_record(&self, record: &RefundRecord, now_ms: i64) -> Result<bool, StoreError> {
        match self.table.put(record_put(record, now_ms)?).await {
            Ok(()) => Ok(true),
            Err(WriteError::ConditionFailed(_) | WriteError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// A refund's payment was filled: settles those of its calls that are still open. Writes its record, the refund, each call with its
    /// ledger record, and the end of each debt, all or nothing. The refund is due until [`Store::refund_is_shown`]. `None` if something
    /// has changed since the record was read, if this was written before, or if the record does not list the payment: read everything
    /// again.
    pub async fn settle_refund(
        &self,
        record: &RefundRecord,
        payment_id: &str,
        now_ms: i64,
    ) -> Result<Option<PaidRefund>, StoreError> {
        let Some(offered) = record.payment(payment_id) else { return Ok(None) };
        let paid_for: Vec<CallKey> = offered.calls.iter().map(|paid| paid.call.clone()).collect();
        let calls = self.calls(&paid_for).await?;
        let Some(settled) = record.clone().settled(payment_id, calls, now_ms) else { return Ok(None) };
        let Settled { record, paid, calls, ledger } = settled;
        let key = record.key;
        let mut operations = vec![
            record_put(&record, paid.paid_ms)?.into_transact_item(&self.table)?,
            Put::new(&keys::paid_refund(key.seller, paid.id), "paid_refund", &paid)?
                .indexed(Some(keys::refund_due(paid.id, from_unix_ms(paid.paid_ms))))
                .when(Condition::absent())
                .into_transact_item(&self.table)?,
        ];
        for (call, written) in calls.into_iter().zip(&ledger) {
            operations.push(self.table.transact_delete(&keys::debt(key.seller, key.buyer, call.id))?);
            let call: Call = next_version(call);
            operations.push(ledger_put(&call.key(), written)?.into_transact_item(&self.table)?);
            operations.push(call_put(&call)?.into_transact_item(&self.table)?);
        }
        match self.table.transact(operations).await {
            Ok(()) => Ok(Some(paid)),
            Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => Ok(None),
            Err(TransactError::Store(error)) => Err(error),
        }
    }

    /// Records that the seller's profile and listings show that this refund is paid, so that it is not due any more.
    pub async fn refund_is_shown(&self, seller: ProfileId, id: RefundId) -> Result<(), StoreError> {
        let (pk, sk) = keys::index_attributes(keys::GSI3);
        let update = Update::new("REMOVE #pk, #sk").name("#pk", &pk).name("#sk", &sk).when("attribute_exists(PK)");
        self.table.update(&keys::paid_refund(seller, id), update).await.map(drop).map_err(StoreError::from)
    }

    /// A refund that this seller has paid.
    pub async fn paid_refund(&self, seller: ProfileId, id: RefundId) -> Result<Option<PaidRefund>, StoreError> {
        self.table.get(&keys::paid_refund(seller, id)).await
    }

    /// All refunds that this seller has paid, oldest first.
    pub async fn paid_refunds(&self, seller: ProfileId) -> Result<Vec<PaidRefund>, StoreError> {
        self.table.query_all(&keys::paid_refunds(seller)).await?.into_iter().map(record).collect()
    }
}

fn lists(found: Option<Item>, payment_id: &str) -> Result<bool, StoreError> {
    let found = found.map(record::<RefundRecord>).transpose()?;
    Ok(found.is_some_and(|record| record.payment(payment_id).is_some()))
}
