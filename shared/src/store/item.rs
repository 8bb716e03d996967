//! Items as DynamoDB stores them, and the records in them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;

use super::error::StoreError;
use super::keys::{Key, PK, SK};

/// An item as DynamoDB stores it.
pub type Item = HashMap<String, AttributeValue>;

/// Parses an item into its record.
///
/// # Errors
/// [`StoreError::Defect`] if the item is not such a record.
pub fn record<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(StoreError::defect)
}

/// A string value.
pub(crate) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number value.
pub(crate) fn n(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn key_item(key: &Key) -> Item {
    HashMap::from([(PK.into(), s(&key.pk)), (SK.into(), s(&key.sk))])
}
