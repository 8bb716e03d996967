//! Calls, their ledger entries, the names that find them, and their stored responses.
//!
//! A call moves by writing its next version over the version that was read. A refused write that finds its own `write_token` has
//! succeeded before: the reply was lost, and the SDK tried again.

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize};

use super::answer::CompressedResponse;
use super::conditional::WriteError;
use super::item::{self, Item, n};
use super::keys::Key;
use super::transaction::TransactError;
use super::write::{Condition, Put};
use super::{Store, StoreError, keys};
use crochet_domain::call::ledger::{Account, LedgerEntry};
use crochet_domain::call::{Call, CallKey, IdempotencyKey, IdempotencyRecord, OpenQuotesForBody};
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

/// Why a new call was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateCallError {
    /// The provider returned the id of an earlier payment.
    #[error("the payment's id is already known")]
    PaymentIdKnown,
    /// A parallel request was first to use one of the call's names. Read the names again.
    #[error("a parallel request was first to use a name of the call")]
    Raced,
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a new call can be found again.
#[derive(Debug, Clone)]
pub enum CallName {
    /// By an idempotency key.
    Key(IdempotencyKey, IdempotencyRecord),
    /// By listing and body.
    Body(OpenQuotesForBody),
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

fn call_put(call: &Call) -> Result<Put, StoreError> {
    let put = Put::new(&keys::call(&call.key()), "call", call)?
        .indexed(Some(keys::buyer_history(call.buyer, call.id)))
        .indexed(Some(keys::seller_history(call.seller, call.id)))
        .indexed(call.due_ms().map(|due| keys::due(call.id, from_unix_ms(due))));
    Ok(if call.version == 1 { put.when(Condition::absent()) } else { put.when(Condition::equals("version", n(call.version - 1))) })
}

fn entry_put(call: &CallKey, entry: &LedgerEntry) -> Result<Put, StoreError> {
    let at = from_unix_ms(entry.created_ms);
    let index = match entry.account {
        Account::Buyer(profile) => Some(keys::account(profile, &entry.id)),
        Account::Seller(profile) => Some(keys::earnings(profile, at, &entry.id)),
        Account::Marketplace => None,
    };
    Ok(Put::new(&keys::entry(call, &entry.entry_key), "entry", entry)?.indexed(index).when(Condition::absent()))
}

impl Store {
    /// The calls under these keys that exist, in the order asked for.
    pub async fn calls(&self, calls: &[CallKey]) -> Result<Vec<Call>, StoreError> {
        let wanted: Vec<Key> = calls.iter().map(keys::call).collect();
        let mut calls = Vec::with_capacity(wanted.len());
        for batch in wanted.chunks(100) {
            let mut found = self.table.get_all(batch).await?;
            for key in batch {
                calls.extend(found.take::<Call>(key)?);
            }
        }
        Ok(calls)
    }

    /// The call with this id. A free call takes one read, a paid call two.
    pub async fn call(&self, id: CallId) -> Result<Option<Call>, StoreError> {
        let (free, pointer) = (keys::call(&CallKey::of_free_call(id)), keys::call_pointer(id));
        let mut found = self.table.get_all(&[free.clone(), pointer.clone()]).await?;
        if let Some(call) = found.take::<Call>(&free)? {
            return Ok(Some(call));
        }
        match found.take::<CallPointer>(&pointer)? {
            Some(pointer) => Ok(self.calls(&[pointer.call]).await?.into_iter().next()),
            None => Ok(None),
        }
    }

    /// Writes a new call and its names, all or nothing. The id of its payment must be new.
    pub async fn create_call(&self, call: &Call, name: CallName) -> Result<(), CreateCallError> {
        let mut operations = vec![call_put(call)?.into_transact_item(&self.table)?];
        if call.payment.is_some() {
            let pointer = CallPointer { call: call.key() };
            operations.push(Put::new(&keys::call_pointer(call.id), "call_pointer", &pointer)?.into_transact_item(&self.table)?);
        }
        let name = match name {
            CallName::Key(key, record) => idempotency_put(call.buyer, &key, &record)?,
            CallName::Body(quotes) => {
                let at = keys::open_quotes_for_body(call.buyer, call.listing.id, &call.body_sha256);
                let unchanged = Condition::absent_or_equals("version", n(quotes.version - 1));
                Put::new(&at, "open_quotes_for_body", &quotes)?.when(unchanged)
            }
        };
        operations.push(name.into_transact_item(&self.table)?);
        match self.table.transact(operations).await {
            Ok(()) => Ok(()),
            Err(TransactError::ConditionFailed { index: 0, found }) if is_written_by(found.as_ref(), &call.write_token)? => Ok(()),
            Err(TransactError::ConditionFailed { index: 0, .. }) => Err(CreateCallError::PaymentIdKnown),
            Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => Err(CreateCallError::Raced),
            Err(TransactError::Store(error)) => Err(error.into()),
        }
    }

    /// Writes a version of a call, without ledger entries or response: one put.
    pub async fn put_call(&self, call: &Call) -> Result<(), PutCallError> {
        match self.table.put(call_put(call)?).await {
            Ok(()) => Ok(()),
            Err(WriteError::Conflict) => Err(PutCallError::Contended),
            Err(error) => superseded_unless_written_by(error.found()?, &call.write_token),
        }
    }

    /// Binds one more idempotency key to a call. `false` if the key already identifies another call.
    pub async fn add_idempotency_key(
        &self,
        buyer: ProfileId,
        key: &IdempotencyKey,
        record: &IdempotencyRecord,
    ) -> Result<bool, StoreError> {
        match self.table.put(idempotency_put(buyer, key, record)?).await {
            Ok(()) => Ok(true),
            Err(error) => {
                let found = error.found()?.map(item::record::<IdempotencyRecord>).transpose()?;
                Ok(found.is_some_and(|found| found.call == record.call))
            }
        }
    }

    /// Writes a call's next version together with the ledger entries of this move, all or nothing.
    pub async fn put_call_version(&self, call: &Call, entries: &[LedgerEntry]) -> Result<(), PutCallError> {
        if entries.is_empty() {
            return self.put_call(call).await;
        }
        let mut operations = vec![call_put(call)?.into_transact_item(&self.table)?];
        let key = call.key();
        for entry in entries {
            operations.push(entry_put(&key, entry)?.into_transact_item(&self.table)?);
        }
        self.transact_move(operations, &call.write_token).await
    }

    /// Writes the outcome of an attempt together with a short response. A long response must be stored first.
    pub async fn finish_call(&self, call: &Call, answer: Option<&CompressedResponse>) -> Result<(), PutCallError> {
        let Some(answer) = answer.filter(|answer| answer.fits_in_transaction()) else { return self.put_call(call).await };
        let mut operations = vec![call_put(call)?.into_transact_item(&self.table)?];
        for put in answer.puts(call.id)? {
            operations.push(put.into_transact_item(&self.table)?);
        }
        self.transact_move(operations, &call.write_token).await
    }

    async fn transact_move(&self, operations: Vec<TransactWriteItem>, write_token: &str) -> Result<(), PutCallError> {
        match self.table.transact(operations).await {
            Ok(()) => Ok(()),
            Err(TransactError::ConditionFailed { index: 0, found }) => superseded_unless_written_by(found, write_token),
            // An entry or a stored response exists already, so this move was made. The call itself says by whom.
            Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => Err(PutCallError::Contended),
            Err(TransactError::Store(error)) => Err(error.into()),
        }
    }
}

/// Points from the id of a paid call to its key.
#[derive(Debug, Serialize, Deserialize)]
struct CallPointer {
    call: CallKey,
}

fn idempotency_put(buyer: ProfileId, key: &IdempotencyKey, record: &IdempotencyRecord) -> Result<Put, StoreError> {
    Ok(Put::new(&keys::idempotency(buyer, &key.text()), "idempotency_record", record)?
        .when(Condition::absent_or_equals("version", n(record.version.saturating_sub(1)))))
}

fn is_written_by(found: Option<&Item>, write_token: &str) -> Result<bool, StoreError> {
    Ok(found.cloned().map(item::record::<Call>).transpose()?.is_some_and(|call| call.write_token == write_token))
}

/// A refused write that finds its own token has succeeded before: the reply was lost, and the SDK tried again.
fn superseded_unless_written_by(found: Option<Item>, write_token: &str) -> Result<(), PutCallError> {
    let found: Option<Call> = found.map(item::record).transpose()?;
    let is_mine = found.as_ref().is_some_and(|call| call.write_token == write_token);
    if is_mine { Ok(()) } else { Err(PutCallError::Superseded(Box::new(found))) }
}
