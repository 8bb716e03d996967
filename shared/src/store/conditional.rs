//! Writes of one item, each with its condition.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use serde::de::DeserializeOwned;

use super::error::StoreError;
use super::item::{Item, key_item, record};
use super::keys::Key;
use super::table::Table;
use super::write::{Condition, Put, Update, non_empty, non_empty_map};

/// Why an item was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The condition did not hold. This is the item at the key, if there is one.
    #[error("the condition of a write did not hold")]
    ConditionFailed(Option<Item>),
    /// A transaction holds the item. Read again, then decide.
    #[error("a transaction holds the item")]
    Conflict,
    /// See [`StoreError`].
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Conflict,
            error => Self::Store(error),
        }
    }
}

impl WriteError {
    /// The item that made the condition fail, if any.
    ///
    /// # Errors
    /// Every other reason.
    pub fn found(self) -> Result<Option<Item>, StoreError> {
        match self {
            Self::ConditionFailed(found) => Ok(found),
            other => Err(other.into()),
        }
    }
}

/// For a caller that does not handle a failed condition separately, it means that another write came first.
impl From<WriteError> for StoreError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::ConditionFailed(_) | WriteError::Conflict => Self::Conflict,
            WriteError::Store(error) => error,
        }
    }
}

impl Table {
    /// Puts one item.
    pub async fn put(&self, put: Put) -> Result<(), WriteError> {
        let condition = put.condition.unwrap_or_default();
        let sent = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(put.item))
            .set_condition_expression(non_empty(condition.expression))
            .set_expression_attribute_names(non_empty_map(condition.names))
            .set_expression_attribute_values(non_empty_map(condition.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(e)) if e.err().is_conditional_check_failed_exception() => match e.into_err() {
                PutItemError::ConditionalCheckFailedException(e) => Err(WriteError::ConditionFailed(e.item)),
                other => Err(StoreError::Unavailable(other.to_string()).into()),
            },
            Err(e) => Err(StoreError::sdk(e).into()),
        }
    }

    /// Changes one item and returns it as it is afterwards.
    pub async fn update(&self, key: &Key, update: Update) -> Result<Item, WriteError> {
        let sent = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key_item(key)))
            .update_expression(update.expression)
            .set_condition_expression(update.condition)
            .set_expression_attribute_names(non_empty_map(update.names))
            .set_expression_attribute_values(non_empty_map(update.values))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match sent {
            Ok(reply) => Ok(reply.attributes.unwrap_or_default()),
            Err(SdkError::ServiceError(e)) if e.err().is_conditional_check_failed_exception() => match e.into_err() {
                UpdateItemError::ConditionalCheckFailedException(e) => Err(WriteError::ConditionFailed(e.item)),
                other => Err(StoreError::Unavailable(other.to_string()).into()),
            },
            Err(e) => Err(StoreError::sdk(e).into()),
        }
    }

    /// Deletes one item and returns it. Of parallel takers, one gets it. A taker whose reply was lost gets nothing when it tries
    /// again.
    pub async fn take<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, StoreError> {
        let sent = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(key_item(key)))
            // Without it, DynamoDB Local gives the item to each of several parallel takers.
            .condition_expression("attribute_exists(PK)")
            .return_values(ReturnValue::AllOld)
            .send()
            .await;
        match sent {
            Ok(reply) => reply.attributes.filter(|item| !item.is_empty()).map(record).transpose(),
            Err(SdkError::ServiceError(e)) if e.err().is_conditional_check_failed_exception() => Ok(None),
            Err(e) => Err(StoreError::sdk(e)),
        }
    }

    /// Deletes one item if `condition` holds. It does not hold if there is no item.
    pub async fn remove(&self, key: &Key, condition: Condition) -> Result<(), WriteError> {
        let sent = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(key_item(key)))
            .set_condition_expression(non_empty(condition.expression))
            .set_expression_attribute_names(non_empty_map(condition.names))
            .set_expression_attribute_values(non_empty_map(condition.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(e)) if e.err().is_conditional_check_failed_exception() => match e.into_err() {
                DeleteItemError::ConditionalCheckFailedException(e) => Err(WriteError::ConditionFailed(e.item)),
                other => Err(StoreError::Unavailable(other.to_string()).into()),
            },
            Err(e) => Err(StoreError::sdk(e).into()),
        }
    }
}
