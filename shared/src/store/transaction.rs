//! Transactions: up to 100 operations that are all written, or none.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    self, AttributeValue, CancellationReason, ConditionCheck, Delete, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};

use super::error::StoreError;
use super::item::{Item, key_item};
use super::keys::Key;
use super::retry::MayConflict;
use super::table::Table;
use super::write::{Put, Update, non_empty, non_empty_map};

/// Why a transaction was not written.
#[derive(Debug, thiserror::Error)]
pub enum TransactError {
    /// The condition of an operation did not hold.
    #[error("the condition of operation {index} did not hold")]
    ConditionFailed {
        /// Position of the first such operation.
        index: usize,
        /// The item at its key, if there is one.
        found: Option<Item>,
    },
    /// Another transaction holds one of the items. Read again, then decide.
    #[error("another transaction holds one of the items")]
    Conflict,
    /// See [`StoreError`].
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for TransactError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Conflict,
            error => Self::Store(error),
        }
    }
}

/// For a caller that does not handle a failed condition separately, it means that another write came first.
impl From<TransactError> for StoreError {
    fn from(error: TransactError) -> Self {
        match error {
            TransactError::ConditionFailed { .. } | TransactError::Conflict => Self::Conflict,
            TransactError::Store(error) => error,
        }
    }
}

impl MayConflict for TransactError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict)
    }
}

impl Table {
    /// Writes all or nothing.
    pub async fn transact(&self, operations: Vec<TransactWriteItem>) -> Result<(), TransactError> {
        let sent = self.client.transact_write_items().set_transact_items(Some(operations)).send().await;
        match sent {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(e)) if e.err().is_transaction_canceled_exception() => match e.into_err() {
                TransactWriteItemsError::TransactionCanceledException(e) => {
                    Err(cancelled(e.cancellation_reasons.unwrap_or_default()))
                }
                other => Err(StoreError::Unavailable(other.to_string()).into()),
            },
            Err(SdkError::ServiceError(e)) if e.err().is_transaction_in_progress_exception() => Err(TransactError::Conflict),
            Err(e) => Err(StoreError::sdk(e).into()),
        }
    }

    /// The condition that an item exists at this key, as an operation of a transaction. It costs as much as a write.
    pub fn transact_exists(&self, key: &Key) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.name)
            .set_key(Some(key_item(key)))
            .condition_expression("attribute_exists(PK)")
            .build()
            .map_err(StoreError::defect)?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    /// The condition that a call is still this version, as an operation of a transaction. It costs as much as a write.
    pub fn transact_is_version(&self, key: &Key, version: u64) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.name)
            .set_key(Some(key_item(key)))
            .condition_expression("v = :v")
            .expression_attribute_values(":v", super::item::n(version))
            .build()
            .map_err(StoreError::defect)?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    /// A deletion, as an operation of a transaction. It succeeds even if there is no item.
    pub fn transact_delete(&self, key: &Key) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder().table_name(&self.name).set_key(Some(key_item(key))).build().map_err(StoreError::defect)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// A deletion on the condition `condition`, as an operation of a transaction.
    pub fn transact_delete_when<const N: usize>(
        &self,
        key: &Key,
        condition: &str,
        name: (&str, &str),
        values: [(&str, AttributeValue); N],
    ) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(key_item(key)))
            .condition_expression(condition)
            .expression_attribute_names(name.0, name.1)
            .set_expression_attribute_values(Some(values.into_iter().map(|(n, v)| (n.to_owned(), v)).collect()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(StoreError::defect)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// A change, as an operation of a transaction.
    pub fn transact_update(&self, key: &Key, update: Update) -> Result<TransactWriteItem, StoreError> {
        let sdk = types::Update::builder()
            .table_name(&self.name)
            .set_key(Some(key_item(key)))
            .update_expression(update.expression)
            .set_condition_expression(update.condition)
            .set_expression_attribute_names(non_empty_map(update.names))
            .set_expression_attribute_values(non_empty_map(update.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(StoreError::defect)?;
        Ok(TransactWriteItem::builder().update(sdk).build())
    }
}

impl Put {
    /// The put, as an operation of a transaction.
    pub fn into_transact_item(self, table: &Table) -> Result<TransactWriteItem, StoreError> {
        let condition = self.condition.unwrap_or_default();
        let put = types::Put::builder()
            .table_name(&table.name)
            .set_item(Some(self.item))
            .set_condition_expression(non_empty(condition.expression))
            .set_expression_attribute_names(non_empty_map(condition.names))
            .set_expression_attribute_values(non_empty_map(condition.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(StoreError::defect)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

fn cancelled(reasons: Vec<CancellationReason>) -> TransactError {
    let mut conflict = false;
    for (index, reason) in reasons.into_iter().enumerate() {
        match reason.code.as_deref() {
            Some("ConditionalCheckFailed") => return TransactError::ConditionFailed { index, found: reason.item },
            Some("TransactionConflict") => conflict = true,
            Some("None") | None => {}
            Some(other) => return StoreError::Unavailable(format!("transaction cancelled: {other}")).into(),
        }
    }
    if conflict { TransactError::Conflict } else { StoreError::Unavailable("transaction cancelled without a reason".into()).into() }
}
