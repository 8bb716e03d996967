//! Writes before they are sent: what is put or changed, and the condition under which.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use serde::Serialize;

use super::StoreError;
use super::keys::{self, IndexKey, KIND, Key, PK, SK, TTL};
use super::table::{Item, Table};

/// An item to be put, with the condition under which.
#[derive(Debug, Clone)]
pub struct Putting {
    pub(super) item: Item,
    pub(super) condition: Option<Condition>,
}

/// A condition expression with its names and values.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    pub(super) expression: String,
    pub(super) names: HashMap<String, String>,
    pub(super) values: Item,
}

impl Condition {
    /// No item stands at the key.
    #[must_use]
    pub fn absent() -> Self {
        Self { expression: "attribute_not_exists(PK)".into(), ..Self::default() }
    }

    /// `attribute` has this value.
    #[must_use]
    pub fn equals(attribute: &str, value: AttributeValue) -> Self {
        Self {
            expression: "#c = :c".into(),
            names: HashMap::from([("#c".into(), attribute.into())]),
            values: HashMap::from([(":c".into(), value)]),
        }
    }

    /// No item, or one whose `attribute` has this value.
    #[must_use]
    pub fn absent_or_equals(attribute: &str, value: AttributeValue) -> Self {
        let mut condition = Self::equals(attribute, value);
        condition.expression = "attribute_not_exists(PK) OR #c = :c".into();
        condition
    }
}

impl Putting {
    /// `record` at `key`, as an item of this kind.
    ///
    /// # Errors
    /// Where the record cannot be spelled as an item: a defect, not an input.
    pub fn new<T: Serialize>(key: &Key, kind: &str, record: &T) -> Result<Self, StoreError> {
        let mut item: Item = serde_dynamo::to_item(record).map_err(StoreError::defect)?;
        item.insert(PK.into(), AttributeValue::S(key.pk.clone()));
        item.insert(SK.into(), AttributeValue::S(key.sk.clone()));
        item.insert(KIND.into(), AttributeValue::S(kind.into()));
        Ok(Self { item, condition: None })
    }

    /// Lets the item be found through an index.
    #[must_use]
    pub fn indexed(mut self, at: Option<IndexKey>) -> Self {
        if let Some(at) = at {
            let (pk, sk) = keys::index_attributes(at.index);
            self.item.insert(pk, AttributeValue::S(at.pk));
            self.item.insert(sk, AttributeValue::S(at.sk));
        }
        self
    }

    /// Lets DynamoDB delete the item some time after this moment (Unix seconds).
    #[must_use]
    pub fn expiring(mut self, at_unix_seconds: i64) -> Self {
        self.item.insert(TTL.into(), AttributeValue::N(at_unix_seconds.to_string()));
        self
    }

    /// Adds an attribute that the record does not carry itself.
    #[must_use]
    pub fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.item.insert(name.into(), value);
        self
    }

    /// Writes only where this holds.
    #[must_use]
    pub fn when(mut self, condition: Condition) -> Self {
        self.condition = Some(condition);
        self
    }

    /// The operation, for a transaction.
    ///
    /// # Errors
    /// None in practice: every required member is set.
    pub fn in_transaction(self, table: &Table) -> Result<TransactWriteItem, StoreError> {
        let condition = self.condition.unwrap_or_default();
        let put = Put::builder()
            .table_name(&table.name)
            .set_item(Some(self.item))
            .set_condition_expression(some(condition.expression))
            .set_expression_attribute_names(filled(condition.names))
            .set_expression_attribute_values(filled(condition.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(StoreError::defect)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// A change to an item by expression.
#[derive(Debug, Clone, Default)]
pub struct Updating {
    /// An update expression.
    pub expression: String,
    /// Its names.
    pub names: HashMap<String, String>,
    /// Its values.
    pub values: Item,
    /// The condition under which.
    pub condition: Option<String>,
}

impl Updating {
    /// A change by this expression.
    #[must_use]
    pub fn new(expression: &str) -> Self {
        Self { expression: expression.into(), ..Self::default() }
    }

    /// Names an attribute.
    #[must_use]
    pub fn name(mut self, placeholder: &str, attribute: &str) -> Self {
        self.names.insert(placeholder.into(), attribute.into());
        self
    }

    /// Gives a value.
    #[must_use]
    pub fn value(mut self, placeholder: &str, value: AttributeValue) -> Self {
        self.values.insert(placeholder.into(), value);
        self
    }

    /// Gives a number.
    #[must_use]
    pub fn number(self, placeholder: &str, value: i64) -> Self {
        self.value(placeholder, AttributeValue::N(value.to_string()))
    }

    /// Writes only where this holds.
    #[must_use]
    pub fn when(mut self, condition: &str) -> Self {
        self.condition = Some(condition.into());
        self
    }
}

pub(super) fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

pub(super) fn filled<V>(map: HashMap<String, V>) -> Option<HashMap<String, V>> {
    (!map.is_empty()).then_some(map)
}

pub(super) fn key_item(key: &Key) -> Item {
    HashMap::from([(PK.into(), AttributeValue::S(key.pk.clone())), (SK.into(), AttributeValue::S(key.sk.clone()))])
}

impl Table {
    /// Holds a transaction to there being an item at this key. It costs as much as a write.
    ///
    /// # Errors
    /// None in practice: every required member is set.
    pub fn present(&self, key: &Key) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.name)
            .set_key(Some(key_item(key)))
            .condition_expression("attribute_exists(PK)")
            .build()
            .map_err(StoreError::defect)?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    /// Deletes an item as part of a transaction; it is no error if it is gone already.
    ///
    /// # Errors
    /// None in practice: every required member is set.
    pub fn removing(&self, key: &Key) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder().table_name(&self.name).set_key(Some(key_item(key))).build().map_err(StoreError::defect)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// Deletes an item as part of a transaction where `condition` holds.
    ///
    /// # Errors
    /// None in practice: every required member is set.
    pub fn removing_when<const N: usize>(
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

    /// Changes an item as part of a transaction.
    ///
    /// # Errors
    /// None in practice: every required member is set.
    pub fn updating(&self, key: &Key, updating: Updating) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(key_item(key)))
            .update_expression(updating.expression)
            .set_condition_expression(updating.condition)
            .set_expression_attribute_names(filled(updating.names))
            .set_expression_attribute_values(filled(updating.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(StoreError::defect)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}
