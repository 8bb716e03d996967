//! What to write, and on which condition. Nothing is sent here.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use super::error::StoreError;
use super::item::{Item, n, s};
use super::keys::{self, IndexKey, KIND, Key, PK, SK, TTL};

/// An item to put, and its condition.
#[derive(Debug, Clone)]
pub struct Put {
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
    /// There is no item at the key.
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

    /// There is no item, or its `attribute` has this value.
    #[must_use]
    pub fn absent_or_equals(attribute: &str, value: AttributeValue) -> Self {
        let mut condition = Self::equals(attribute, value);
        condition.expression = "attribute_not_exists(PK) OR #c = :c".into();
        condition
    }
}

impl Put {
    /// `record` at `key`, as an item of this kind.
    ///
    /// # Errors
    /// [`StoreError::Defect`] if the record cannot be serialised as an item.
    pub fn new<T: Serialize>(key: &Key, kind: &str, record: &T) -> Result<Self, StoreError> {
        let mut item: Item = serde_dynamo::to_item(record).map_err(StoreError::defect)?;
        item.insert(PK.into(), s(&key.pk));
        item.insert(SK.into(), s(&key.sk));
        item.insert(KIND.into(), s(kind));
        Ok(Self { item, condition: None })
    }

    /// The next version of the item that was read at `key`: attributes that are not set stay as they are.
    pub(super) fn over(read: Item, key: &Key, kind: &str) -> Result<Self, StoreError> {
        let mut put = Self::new(key, kind, &serde_json::Map::new())?;
        put.item = read.into_iter().chain(put.item).collect();
        Ok(put)
    }

    /// Adds the item to `index` at this place, or takes it out. The record that was read may hold the place that it had.
    #[must_use]
    pub fn indexed_or_not(mut self, index: &str, at: Option<IndexKey>) -> Self {
        let (pk, sk) = keys::index_attributes(index);
        self.item.remove(&pk);
        self.item.remove(&sk);
        self.indexed(at)
    }

    /// Adds the item to an index.
    #[must_use]
    pub fn indexed(mut self, at: Option<IndexKey>) -> Self {
        if let Some(at) = at {
            let (pk, sk) = keys::index_attributes(at.index);
            self.item.insert(pk, s(at.pk));
            self.item.insert(sk, s(at.sk));
        }
        self
    }

    /// Lets DynamoDB delete the item some time after this time, in Unix seconds.
    #[must_use]
    pub fn expiring(mut self, at_unix_seconds: i64) -> Self {
        self.item.insert(TTL.into(), n(at_unix_seconds));
        self
    }

    /// Adds an attribute that is not part of the record.
    #[must_use]
    pub fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.item.insert(name.into(), value);
        self
    }

    /// Writes only if this holds.
    #[must_use]
    pub fn when(mut self, condition: Condition) -> Self {
        self.condition = Some(condition);
        self
    }
}

/// A change to an item, as an update expression.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// The update expression.
    pub expression: String,
    /// Its names.
    pub names: HashMap<String, String>,
    /// Its values.
    pub values: Item,
    /// The condition expression.
    pub condition: Option<String>,
}

impl Update {
    /// Increments a profile's version, if it is still `seen`.
    pub(super) fn next_version(seen: u64) -> Self {
        Self::new("SET version = version + :one").when("version = :seen").value(":one", n(1)).value(":seen", n(seen))
    }

    /// A change with this update expression.
    #[must_use]
    pub fn new(expression: &str) -> Self {
        Self { expression: expression.into(), ..Self::default() }
    }

    /// Sets these attributes to what they are in `put`, and removes those that it does not have. Everything else stays.
    pub(super) fn attributes(put: &Put, names: &[&str]) -> Self {
        let (mut set, mut removed, mut update) = (Vec::new(), Vec::new(), Self::default());
        for name in names {
            let placeholder = format!("#{name}");
            match put.item.get(*name) {
                Some(value) => {
                    set.push(format!("{placeholder} = :{name}"));
                    update = update.value(&format!(":{name}"), value.clone());
                }
                None => removed.push(placeholder.clone()),
            }
            update = update.name(&placeholder, name);
        }
        let part =
            |verb: &str, parts: Vec<String>| if parts.is_empty() { String::new() } else { format!("{verb} {} ", parts.join(", ")) };
        update.expression = part("SET", set) + &part("REMOVE", removed);
        update
    }

    /// Names an attribute of the expressions.
    #[must_use]
    pub fn name(mut self, placeholder: &str, attribute: &str) -> Self {
        self.names.insert(placeholder.into(), attribute.into());
        self
    }

    /// Sets a value of the expressions.
    #[must_use]
    pub fn value(mut self, placeholder: &str, value: AttributeValue) -> Self {
        self.values.insert(placeholder.into(), value);
        self
    }

    /// Sets a number of the expressions.
    #[must_use]
    pub fn number(self, placeholder: &str, value: i64) -> Self {
        self.value(placeholder, n(value))
    }

    /// Writes only if this holds.
    #[must_use]
    pub fn when(mut self, condition: &str) -> Self {
        self.condition = Some(condition.into());
        self
    }
}

pub(super) fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

pub(super) fn non_empty_map<V>(map: HashMap<String, V>) -> Option<HashMap<String, V>> {
    (!map.is_empty()).then_some(map)
}
