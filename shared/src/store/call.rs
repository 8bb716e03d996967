//! Calls, and their ledger records.
//!
//! A call moves by writing its next version over the version that was read. A refused write that finds its own `write_token` has
//! succeeded before: the reply was lost, and the SDK tried again.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::answer::CompressedResponse;
use super::call_item::{CallOrPointer, StoredCall, read_call};
use super::conditional::WriteError;
use super::item::{Item, n, s};
use super::keys::Key;
use super::transaction::TransactError;
use super::write::{Condition, Put};
use super::{Store, StoreError, keys};
use crate::telemetry::metrics::{self, Metric};
use crochet_domain::call::ledger::{LedgerMove, LedgerRecord};
use crochet_domain::call::{Call, CallKey, CallState};
use crochet_domain::ids::{CallId, ProfileId, random_bytes};
use crochet_domain::timestamp::from_unix_ms;

/// Why a call's next version was not written.
#[derive(Debug, thiserror::Error)]
pub enum PutCallError {
    /// Another request moved the call first. This is the call now, if it still exists.
    #[error("another request moved the call first")]
    Superseded(Box<Option<Call>>),
    /// Another request is writing the call right now.
    #[error("another request is writing the call")]
    Contended,
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A new token for a write.
#[must_use]
pub fn new_write_token() -> String {
    hex::encode(random_bytes::<8>())
}

/// The next version of `call`, with a new write token.
#[must_use]
pub fn next_version(mut call: Call) -> Call {
    call.version += 1;
    call.write_token = new_write_token();
    call
}

/// A call is due, or has ended and is in the log that statistics read, or neither.
pub(super) fn call_put(call: &Call) -> Result<Put, StoreError> {
    let attention = match (call.due_ms, &call.state) {
        (Some(due), _) => Some(keys::due(call.id, from_unix_ms(due))),
        (None, CallState::Delivered { .. } | CallState::Undelivered) => {
            // What becomes of it later brings it into the log again.
            let at_ms = call.debts.changed_ms.map_or(call.updated_ms, |changed| changed.max(call.updated_ms));
            Some(keys::ended(call.id, from_unix_ms(at_ms)))
        }
        (None, _) => None,
    };
    let put = Put::new(&keys::call(&call.key()), "call", &StoredCall::of(call)?)?
        .indexed(Some(keys::buyer_history(call.buyer, call.id)))
        .indexed(Some(keys::seller_history(call.seller, call.id)))
        .indexed_or_not(keys::GSI3, attention);
    Ok(if call.version == 1 { put.when(Condition::absent()) } else { put.when(Condition::equals("v", n(call.version - 1))) })
}

pub(super) fn ledger_put(call: &CallKey, written: &LedgerRecord) -> Result<Put, StoreError> {
    let at = from_unix_ms(written.created_ms);
    let (buyer, seller) = written.parties();
    let id = written.id();
    Ok(Put::new(&keys::ledger_record(call, written.of), "ledger", written)?
        .indexed(buyer.map(|buyer| keys::account(buyer, &id)))
        .indexed(seller.map(|seller| keys::earnings(seller, at, &id)))
        .when(Condition::absent()))
}

impl Store {
    /// The calls under these keys that exist, in the order asked for. A key that another payment was put in the place of leads to
    /// that payment's call.
    pub async fn calls(&self, calls: &[CallKey]) -> Result<Vec<Call>, StoreError> {
        let wanted: Vec<Key> = calls.iter().map(keys::call).collect();
        let mut calls = Vec::with_capacity(wanted.len());
        let mut pointers = Vec::new();
        for batch in wanted.chunks(100) {
            let mut found = self.table.get_all(batch).await?;
            for key in batch {
                match found.take_item(key).map(read_call).transpose()? {
                    Some(CallOrPointer::Call(call)) => calls.push(*call),
                    Some(CallOrPointer::Pointer(to)) => pointers.push(to),
                    Some(CallOrPointer::Refund) | None => {}
                }
            }
        }
        if !pointers.is_empty() {
            let wanted: Vec<Key> = pointers.iter().map(keys::call).collect();
            let mut found = self.table.get_all(&wanted).await?;
            for key in &wanted {
                if let Some(CallOrPointer::Call(call)) = found.take_item(key).map(read_call).transpose()? {
                    calls.push(*call);
                }
            }
        }
        Ok(calls)
    }

    /// Those of these payments that pay a refund instead of a call.
    pub async fn refunds_among(&self, payments: &[CallKey]) -> Result<BTreeSet<CallKey>, StoreError> {
        let mut refunds = BTreeSet::new();
        for batch in payments.chunks(100) {
            let wanted: Vec<Key> = batch.iter().map(keys::call).collect();
            let mut found = self.table.get_all(&wanted).await?;
            for (payment, key) in batch.iter().zip(&wanted) {
                if let Some(CallOrPointer::Refund) = found.take_item(key).map(read_call).transpose()? {
                    refunds.insert(payment.clone());
                }
            }
        }
        Ok(refunds)
    }

    /// The call of this buyer or seller with this id. It is found through the indexes of their histories, which may lag a moment
    /// behind.
    pub async fn call(&self, id: CallId, party: ProfileId) -> Result<Option<Call>, StoreError> {
        let free = CallKey::of_free_call(id);
        let (free, keys) = tokio::try_join!(self.calls(std::slice::from_ref(&free)), self.call_keys(id, party))?;
        match (free.into_iter().next(), keys) {
            (Some(call), _) => Ok(Some(call)),
            (None, Some(key)) => Ok(self.calls(&[key]).await?.into_iter().next()),
            (None, None) => Ok(None),
        }
    }

    /// Lets a payment that the provider put in the place of another lead to the other's call. `false` if it already is, or leads
    /// to, another call.
    pub async fn point_to_call(&self, from: &CallKey, to: &CallKey) -> Result<bool, StoreError> {
        let pointer = serde_json::json!({ "to": to.as_str() });
        let put = Put::new(&keys::call(from), "call_pointer", &pointer)?.when(Condition::absent());
        match self.table.put(put).await {
            Ok(()) => Ok(true),
            Err(error) => Ok(error.found()?.is_some_and(|found| found.get("to") == Some(&s(to.as_str())))),
        }
    }

    /// Writes a version of a call, without ledger records or response: one put.
    pub async fn put_call(&self, call: &Call) -> Result<(), PutCallError> {
        match self.table.put(call_put(call)?).await {
            Ok(()) => Ok(()),
            Err(WriteError::Conflict) => Err(PutCallError::Contended),
            Err(error) => superseded_unless_written_by(error.found()?, &call.write_token),
        }
    }

    /// Writes a call's next version together with the ledger records of this move, all or nothing.
    pub async fn put_call_version(&self, call: &Call, records: &[LedgerRecord]) -> Result<(), PutCallError> {
        if records.is_empty() {
            return self.put_call(call).await;
        }
        let mut operations = vec![call_put(call)?.into_transact_item(&self.table)?];
        let key = call.key();
        for written in records {
            operations.push(ledger_put(&key, written)?.into_transact_item(&self.table)?);
        }
        self.transact_move(operations, &call.write_token).await?;
        if records.iter().any(|written| written.of == LedgerMove::Settlement) {
            metrics::emit(&[(Metric::CallsSettled, 1), (Metric::MoneySettled, call.split.price.0)]);
        }
        Ok(())
    }

    /// Writes the outcome of an attempt together with a short response. A long response must be stored first.
    pub async fn finish_call(&self, call: &Call, answer: Option<&CompressedResponse>) -> Result<(), PutCallError> {
        match answer.filter(|answer| answer.fits_in_transaction()) {
            None => self.put_call(call).await?,
            Some(answer) => {
                let mut operations = vec![call_put(call)?.into_transact_item(&self.table)?];
                for put in answer.puts(call.id)? {
                    operations.push(put.into_transact_item(&self.table)?);
                }
                self.transact_move(operations, &call.write_token).await?;
            }
        }
        metrics::emit(&[(Metric::CallsDelivered, i64::from(matches!(call.state, CallState::Delivered { .. })))]);
        Ok(())
    }

    pub(super) async fn transact_move(&self, operations: Vec<TransactWriteItem>, write_token: &str) -> Result<(), PutCallError> {
        match self.table.transact(operations).await {
            Ok(()) => Ok(()),
            Err(TransactError::ConditionFailed { index: 0, found }) => superseded_unless_written_by(found, write_token),
            // A ledger record or a stored response exists already, so this move was made. The call itself says by whom.
            Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => Err(PutCallError::Contended),
            Err(TransactError::Store(error)) => Err(error.into()),
        }
    }
}

/// Whether an item is the version of a call that this token wrote.
pub(super) fn is_written_by(found: Option<&Item>, write_token: &str) -> bool {
    found.and_then(|item| item.get("w")).and_then(|token| token.as_s().ok()).is_some_and(|token| token == write_token)
}

/// A refused write that finds its own token has succeeded before: the reply was lost, and the SDK tried again.
fn superseded_unless_written_by(found: Option<Item>, write_token: &str) -> Result<(), PutCallError> {
    if is_written_by(found.as_ref(), write_token) {
        return Ok(());
    }
    let found = match found.map(read_call).transpose()? {
        Some(CallOrPointer::Call(call)) => Some(*call),
        Some(CallOrPointer::Pointer(_) | CallOrPointer::Refund) | None => None,
    };
    Err(PutCallError::Superseded(Box::new(found)))
}
