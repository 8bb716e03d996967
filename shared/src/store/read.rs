//! Reads: one item, a batch of items, a range of a partition.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use serde::de::DeserializeOwned;

use super::error::StoreError;
use super::item::{Item, key_item, record};
use super::keys::{self, Key, KeyRange, PK, SK};
use super::table::Table;

/// Maximum number of requests for one batch read. All but the first ask for keys that were left unprocessed.
const MAX_BATCH_ROUNDS: u32 = 5;

/// The items that a batch read found, by key.
#[derive(Debug, Default)]
pub struct BatchItems(HashMap<Key, Item>);

impl BatchItems {
    /// The record at this key, if there is one.
    ///
    /// # Errors
    /// As [`record`].
    pub fn take<T: DeserializeOwned>(&mut self, key: &Key) -> Result<Option<T>, StoreError> {
        self.take_item(key).map(record).transpose()
    }

    /// The item at this key, if there is one.
    pub fn take_item(&mut self, key: &Key) -> Option<Item> {
        self.0.remove(key)
    }
}

/// A range of one partition.
#[derive(Debug, Clone, Copy)]
pub struct Range<'a> {
    /// An index; the table itself if `None`.
    pub index: Option<&'static str>,
    /// The partition.
    pub partition: &'a str,
    /// Smallest sort key, included.
    pub from: Option<&'a str>,
    /// Largest sort key, included.
    pub to: Option<&'a str>,
    /// Descending order of the sort key.
    pub newest_first: bool,
    /// Maximum number of items.
    pub limit: i32,
}

impl<'a> Range<'a> {
    /// The items of the table with these keys, in ascending order.
    #[must_use]
    pub fn of(keys: &'a KeyRange, limit: i32) -> Self {
        Self { index: None, partition: &keys.pk, from: Some(&keys.from), to: Some(&keys.to), newest_first: false, limit }
    }
}

impl Table {
    /// Reads one item, consistently.
    ///
    /// # Errors
    /// As [`record`].
    pub async fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, StoreError> {
        self.get_item(key).await?.map(record).transpose()
    }

    /// Reads one item as DynamoDB stores it, consistently.
    pub async fn get_item(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.read_item(key, true).await
    }

    /// Reads one item as it was a moment ago: the last second's writes may be missing. It costs half of a consistent read. Only for
    /// what a later write decides anyway, such as a listing's traffic, or what a moment ago would have been as good, such as a wallet.
    pub async fn get_eventually(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.read_item(key, false).await
    }

    async fn read_item(&self, key: &Key, consistent: bool) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&self.name).set_key(Some(key_item(key))).consistent_read(consistent);
        let reply = request.send().await.map_err(StoreError::sdk)?;
        Ok(reply.item)
    }

    /// Reads up to 100 items at once, consistently. Keys that DynamoDB leaves unprocessed are requested again.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] also if keys are still unprocessed after five requests.
    pub async fn get_all(&self, wanted: &[Key]) -> Result<BatchItems, StoreError> {
        self.get_all_of(wanted, &[]).await
    }

    /// Like [`Table::get_all`], but reads only these attributes of each item, or all of them if none is named. It costs the same
    /// units and takes less memory.
    ///
    /// # Errors
    /// As [`Table::get_all`].
    pub async fn get_all_of(&self, wanted: &[Key], attributes: &[&str]) -> Result<BatchItems, StoreError> {
        let names: HashMap<String, String> =
            [PK, SK].iter().chain(attributes).enumerate().map(|(i, name)| (format!("#a{i}"), (*name).to_owned())).collect();
        let projection = names.keys().cloned().collect::<Vec<_>>().join(", ");
        let mut found = BatchItems::default();
        let mut pending: Vec<Item> = Vec::with_capacity(wanted.len());
        for key in wanted {
            if !pending.contains(&key_item(key)) {
                pending.push(key_item(key));
            }
        }
        for round in 0..MAX_BATCH_ROUNDS {
            if pending.is_empty() {
                return Ok(found);
            }
            if round > 0 {
                // DynamoDB is short of capacity, so the next request waits.
                tokio::time::sleep(std::time::Duration::from_millis(10 << round)).await;
            }
            let request = KeysAndAttributes::builder()
                .set_keys(Some(std::mem::take(&mut pending)))
                .consistent_read(true)
                .set_projection_expression((!attributes.is_empty()).then(|| projection.clone()))
                .set_expression_attribute_names((!attributes.is_empty()).then(|| names.clone()))
                .build()
                .map_err(StoreError::defect)?;
            let reply = self.client.batch_get_item().request_items(&self.name, request).send().await.map_err(StoreError::sdk)?;
            for item in reply.responses.into_iter().flatten().flat_map(|(_, items)| items) {
                if let (Some(AttributeValue::S(pk)), Some(AttributeValue::S(sk))) = (item.get(PK), item.get(SK)) {
                    found.0.insert(Key { pk: pk.clone(), sk: sk.clone() }, item);
                }
            }
            pending = reply.unprocessed_keys.into_iter().flatten().flat_map(|(_, rest)| rest.keys).collect();
        }
        if pending.is_empty() { Ok(found) } else { Err(StoreError::Unavailable("keys were left unprocessed".into())) }
    }

    /// Reads one page of a partition, in order of the sort key.
    pub async fn query(&self, range: &Range<'_>) -> Result<Vec<Item>, StoreError> {
        let (pk, sk) = match range.index {
            Some(index) => keys::index_attributes(index),
            None => (PK.into(), SK.into()),
        };
        let mut request = self
            .client
            .query()
            .table_name(&self.name)
            .set_index_name(range.index.map(Into::into))
            .scan_index_forward(!range.newest_first)
            .limit(range.limit)
            .expression_attribute_names("#pk", pk)
            .expression_attribute_values(":pk", AttributeValue::S(range.partition.to_owned()));
        if range.index.is_none() {
            request = request.consistent_read(true);
        }
        let from = range.from.unwrap_or(keys::BELOW_ALL);
        let to = range.to.unwrap_or(keys::ABOVE_ALL);
        request = request
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
            .expression_attribute_names("#sk", sk)
            .expression_attribute_values(":from", AttributeValue::S(from.to_owned()))
            .expression_attribute_values(":to", AttributeValue::S(to.to_owned()));
        let reply = request.send().await.map_err(StoreError::sdk)?;
        Ok(reply.items.unwrap_or_default())
    }

    /// Reads all items of the table with these keys, in order of the sort key, however many pages that takes.
    pub async fn query_all(&self, range: &KeyRange) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut from: Option<Item> = None;
        loop {
            let reply = self
                .client
                .query()
                .table_name(&self.name)
                .consistent_read(true)
                .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":pk", AttributeValue::S(range.pk.clone()))
                .expression_attribute_values(":from", AttributeValue::S(range.from.clone()))
                .expression_attribute_values(":to", AttributeValue::S(range.to.clone()))
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(StoreError::sdk)?;
            items.extend(reply.items.unwrap_or_default());
            from = reply.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() {
                return Ok(items);
            }
        }
    }

    /// Opens the connection, so that the first request after a cold start does not pay for it. It asks for an API key, which every
    /// function with routes may do.
    pub async fn warm(&self) -> Result<(), StoreError> {
        self.get_eventually(&keys::no_api_key()).await.map(drop)
    }
}
