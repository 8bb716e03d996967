//! Idempotency records, and the creation of calls under them.

use std::collections::HashMap;
use std::io::{Read, Write};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};

use super::call::{call_put, is_written_by};
use super::conditional::WriteError;
use super::item::{self, Item, n, s};
use super::keys::Key;
use super::transaction::TransactError;
use super::write::{Condition, Put};
use super::{Store, StoreError, keys};
use crate::telemetry::metrics::{self, Metric};
use crochet_domain::call::record::IdempotencyRecord;
use crochet_domain::call::{Call, CallKey, CallName};
use crochet_domain::ids::{CallId, ProfileId};

/// Time that the record of a body is kept: a paid call that nobody presents stays open for 30 days. The record of a key is kept
/// for ever, because a key never charges twice.
const BODY_RECORD_KEPT_SECONDS: i64 = 40 * 86_400;
/// Time that the requirements of a quote are kept after the end of its `ttl`.
const REQUIREMENTS_KEPT_SECONDS: i64 = 86_400;

/// What is stored under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredName {
    /// An idempotency record.
    Record(IdempotencyRecord),
    /// A later name of a call, which points to the first.
    Pointer {
        /// The first name.
        to: CallName,
        /// The call that the later name was sent for. The first name may have gone on to another.
        call: CallKey,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum NameItem {
    Pointer { to: CallName, call: CallKey },
    Record(IdempotencyRecord),
}

impl From<NameItem> for StoredName {
    fn from(item: NameItem) -> Self {
        match item {
            NameItem::Pointer { to, call } => Self::Pointer { to, call },
            NameItem::Record(record) => Self::Record(record),
        }
    }
}

/// Why a new call was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateCallError {
    /// The provider returned the id of an earlier payment.
    #[error("the payment's id is already known")]
    PaymentIdKnown,
    /// A parallel request was first to write the record. Read it again.
    #[error("a parallel request was first to write the idempotency record")]
    Raced,
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn record_put(buyer: ProfileId, name: &CallName, record: &IdempotencyRecord, now_ms: i64) -> Result<Put, StoreError> {
    let put = Put::new(&keys::idempotency(buyer, name), "idempotency_record", record)?
        .when(Condition::absent_or_equals("version", n(record.version.saturating_sub(1))));
    Ok(match name {
        CallName::Key(_) => put,
        CallName::Body { .. } => put.expiring(now_ms / 1_000 + BODY_RECORD_KEPT_SECONDS),
    })
}

impl Store {
    /// What is stored under a buyer's name for a call.
    pub async fn stored_name(&self, buyer: ProfileId, name: &CallName) -> Result<Option<StoredName>, StoreError> {
        Ok(self.table.get::<NameItem>(&keys::idempotency(buyer, name)).await?.map(StoredName::from))
    }

    /// Writes a quoted call, its requirements and its record, all at the same time.
    ///
    /// These are three writes and no transaction, which would cost twice as much. The quote may be shown only if all of them
    /// succeed. Until then nobody can pay it: a call without a record is never found by a name, and a record that lists a call that
    /// does not exist counts it only for as long as it may still arrive.
    pub async fn create_quoted_call(
        &self,
        call: &Call,
        requirements: &str,
        name: &CallName,
        record: &IdempotencyRecord,
        now_ms: i64,
    ) -> Result<(), CreateCallError> {
        let requirements = requirements_put(call, requirements)?;
        let record = record_put(call.buyer, name, record, now_ms)?;
        let (created, required, recorded) = tokio::join!(
            self.table.put(call_put(call)?),
            self.put_requirements(requirements, call),
            self.write_record(record, call),
        );
        match created {
            Ok(()) => {}
            Err(WriteError::ConditionFailed(found)) if is_written_by(found.as_ref(), &call.write_token) => {}
            Err(WriteError::ConditionFailed(_)) => return Err(CreateCallError::PaymentIdKnown),
            Err(error) => return Err(StoreError::from(error).into()),
        }
        let required = required.map_err(|error| CreateCallError::from(StoreError::from(error)));
        if let Err(error) = recorded.and(required) {
            // Nobody has seen this quote. Without it the history is as it was.
            let unchanged = Condition::equals("w", s(&call.write_token));
            let _ = self.table.remove(&keys::call(&call.key()), unchanged).await;
            return Err(error);
        }
        metrics::emit(&[(Metric::CallsQuoted, 1)]);
        Ok(())
    }

    /// Writes a version of a record. `false` if another writer was first.
    pub async fn put_record(
        &self,
        buyer: ProfileId,
        name: &CallName,
        record: &IdempotencyRecord,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        match self.table.put(record_put(buyer, name, record, now_ms)?).await {
            Ok(()) => Ok(true),
            Err(WriteError::ConditionFailed(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Requirements are never overwritten: they say whom somebody pays.
    async fn put_requirements(&self, put: Put, call: &Call) -> Result<(), WriteError> {
        match self.table.put(put).await {
            Err(WriteError::ConditionFailed(Some(found))) if is_of(&found, call.id) => Ok(()),
            written => written,
        }
    }

    async fn write_record(&self, put: Put, call: &Call) -> Result<(), CreateCallError> {
        match self.table.put(put).await {
            Ok(()) => Ok(()),
            Err(error) => match error.found()?.map(item::record::<NameItem>).transpose()? {
                // The reply was lost, and the SDK tried again.
                Some(NameItem::Record(found)) if found.lists(&call.key()) => Ok(()),
                _ => Err(CreateCallError::Raced),
            },
        }
    }

    /// Writes a free call and its record, all or nothing: whoever is second must not call the seller.
    pub async fn create_free_call(
        &self,
        call: &Call,
        name: &CallName,
        record: &IdempotencyRecord,
        now_ms: i64,
    ) -> Result<(), CreateCallError> {
        let operations = vec![
            call_put(call)?.into_transact_item(&self.table)?,
            record_put(call.buyer, name, record, now_ms)?.into_transact_item(&self.table)?,
        ];
        match self.table.transact(operations).await {
            Ok(()) => Ok(()),
            Err(TransactError::ConditionFailed { index: 0, found }) if is_written_by(found.as_ref(), &call.write_token) => Ok(()),
            Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => Err(CreateCallError::Raced),
            Err(TransactError::Store(error)) => Err(error.into()),
        }
    }

    /// Lets one more idempotency key lead to this call, and to the record of its first name. `false` if the key leads to another
    /// record, or to another round of this one.
    pub async fn add_idempotency_key(&self, key: &str, call: &Call) -> Result<bool, StoreError> {
        let (name, to) = (CallName::Key(key.to_owned()), call.name());
        let pointer = NameItem::Pointer { to: to.clone(), call: call.key() };
        let put = Put::new(&keys::idempotency(call.buyer, &name), "idempotency_pointer", &pointer)?.when(Condition::absent());
        match self.table.put(put).await {
            Ok(()) => Ok(true),
            Err(error) => match error.found()?.map(item::record::<NameItem>).transpose()? {
                Some(NameItem::Pointer { to: known, call: first }) if known == to => {
                    Ok(first == call.key() || self.calls(&[first]).await?.iter().all(|first| first.round == call.round))
                }
                _ => Ok(false),
            },
        }
    }

    /// What the buyer has to do to pay the quotes of these calls, as JSON text. A quote that has been over for a day has none.
    pub async fn requirements(&self, calls: &[&Call]) -> Result<HashMap<CallKey, String>, StoreError> {
        let wanted: Vec<Key> = calls.iter().map(|call| keys::requirements(&call.key())).collect();
        let mut found = self.table.get_all(&wanted).await?;
        let mut requirements = HashMap::new();
        for (call, key) in calls.iter().zip(&wanted) {
            if let Some(item) = found.take_item(key).filter(|item| is_of(item, call.id)) {
                requirements.insert(call.key(), unpacked(&item)?);
            }
        }
        Ok(requirements)
    }
}

/// Whether requirements are those of this call. The provider may have given one id to two quotes.
fn is_of(item: &Item, call: CallId) -> bool {
    item.get("call").and_then(|id| id.as_s().ok()).is_some_and(|id| *id == call.to_string())
}

/// The text of requirements.
pub(super) fn unpacked(item: &Item) -> Result<String, StoreError> {
    let packed = item.get("bytes").and_then(|bytes| bytes.as_b().ok());
    let packed = packed.ok_or_else(|| StoreError::Defect("requirements without bytes".into()))?;
    let mut text = String::new();
    DeflateDecoder::new(packed.as_ref()).read_to_string(&mut text).map_err(StoreError::defect)?;
    Ok(text)
}

fn requirements_put(call: &Call, requirements: &str) -> Result<Put, StoreError> {
    let ttl_ms = call.payment.as_ref().map_or(call.created_ms, |payment| payment.ttl_ms);
    Ok(packed(&keys::requirements(&call.key()), requirements, ttl_ms)?.with("call", s(call.id.to_string())))
}

/// The requirements of a quote that is filled until `ttl_ms` (Unix milliseconds), at `key`. They are a few kilobytes of JSON.
/// Compressed, they take one or two.
pub(super) fn packed(key: &Key, requirements: &str, ttl_ms: i64) -> Result<Put, StoreError> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(requirements.as_bytes()).map_err(StoreError::defect)?;
    let packed = encoder.finish().map_err(StoreError::defect)?;
    Ok(Put::new(key, "requirements", &serde_json::Map::new())?
        .with("bytes", AttributeValue::B(Blob::new(packed)))
        .expiring(ttl_ms / 1_000 + REQUIREMENTS_KEPT_SECONDS)
        .when(Condition::absent()))
}
