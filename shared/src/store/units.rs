//! Measures requests to DynamoDB in capacity units.
//!
//! The local engines disagree about consumed capacity, so units are computed by AWS's published rules. A consistent read costs one
//! unit per started 4 KB of each item, an eventually consistent one half of that, and a key without an item as much as the smallest
//! item. A write costs one unit per started 1 KB, in a transaction two. An index adds one write for an entry that comes or goes, two
//! for one that moves, and none for one that stays as it is.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::delete_item::{DeleteItemInput, DeleteItemOutput};
use aws_sdk_dynamodb::operation::get_item::{GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::PutItemInput;
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsInput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef, Input, Output,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Layer, Storable, StoreReplace};
use quick_cache::sync::Cache;

use super::keys::{PK, SK};
use crate::telemetry::meter::Trip;

/// Number of items whose index entries are remembered. An item that is not remembered counts as new when it is put.
const REMEMBERED: usize = 10_000;

/// Measures every DynamoDB request. It refuses to send a batch read that is not consistent.
#[derive(Debug)]
pub(crate) struct DynamoDbMeter {
    /// The index entries of items that were read or written, by key.
    entries: Arc<Cache<String, Entries>>,
}

/// An item's keys in the indexes: name and value of each attribute.
type Entries = Vec<(String, String)>;

impl DynamoDbMeter {
    pub(crate) fn new() -> Self {
        Self { entries: Arc::new(Cache::new(REMEMBERED)) }
    }

    fn remember(&self, item: &Attributes) {
        if let Some(key) = key_of(item) {
            self.entries.insert(key, entries_of(item));
        }
    }

    /// Index writes of putting this item, or of deleting the one at its key.
    fn index_writes(&self, at: &Attributes, next: &Entries) -> f64 {
        let before = key_of(at).and_then(|key| self.entries.get(&key)).unwrap_or_default();
        let of = |entries: &Entries, index: &str| {
            entries.iter().filter(|(name, _)| name.starts_with(index)).cloned().collect::<Vec<_>>()
        };
        let cost = |index: &str| match (of(&before, index), of(next, index)) {
            (old, new) if old == new => 0.0,
            (old, new) if old.is_empty() || new.is_empty() => 1.0,
            _ => 2.0,
        };
        ["gsi1", "gsi2", "gsi3"].into_iter().map(cost).sum()
    }

    fn put_units(&self, item: &Attributes, each: f64) -> f64 {
        let units = each * base_write_units(item) + self.index_writes(item, &entries_of(item));
        self.remember(item);
        units
    }

    fn delete_units(&self, key: &Attributes) -> f64 {
        let units = self.index_writes(key, &Entries::new());
        if let Some(key) = key_of(key) {
            self.entries.remove(&key);
        }
        units
    }

    /// Write units of a put, a deletion or a transaction, as far as they are known before it is sent.
    fn planned_writes(&self, input: &Input) -> Option<f64> {
        if let Some(put) = input.downcast_ref::<PutItemInput>() {
            return put.item().map(|item| self.put_units(item, 1.0));
        }
        if let Some(delete) = input.downcast_ref::<DeleteItemInput>() {
            return delete.key().map(|key| self.delete_units(key));
        }
        let transaction = input.downcast_ref::<TransactWriteItemsInput>()?;
        let writes = transaction.transact_items().iter().map(|operation| match (operation.put(), operation.delete()) {
            (Some(put), _) => self.put_units(put.item(), 2.0),
            (None, Some(delete)) => 2.0 + self.delete_units(delete.key()),
            (None, None) => 2.0,
        });
        Some(writes.sum())
    }
}

/// What is known about a request before it is sent. The SDK drops its input once it is serialised.
#[derive(Debug)]
struct Sent {
    began: Instant,
    write_units: Option<f64>,
    is_consistent: bool,
    /// Number of keys that a batch read asks for.
    keys: usize,
}

impl Storable for Sent {
    type Storer = StoreReplace<Self>;
}

impl Intercept for DynamoDbMeter {
    fn name(&self) -> &'static str {
        "DynamoDbMeter"
    }

    fn read_before_execution(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input();
        let batch = input.downcast_ref::<BatchGetItemInput>();
        let requests = || batch.into_iter().flat_map(|read| read.request_items()).flatten();
        if requests().any(|(_, keys)| keys.consistent_read() != Some(true)) {
            return Err("a batch read must be consistent: money is decided on it".into());
        }
        let keys = requests().map(|(_, keys)| keys.keys().len()).sum();
        let mut layer = Layer::new("DynamoDbMeter");
        layer.store_put(Sent {
            began: Instant::now(),
            write_units: self.planned_writes(input),
            is_consistent: is_consistent(input),
            keys,
        });
        cfg.push_layer(layer);
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(sent) = cfg.load::<Sent>() else { return Ok(()) };
        let output = context.output_or_error().and_then(Result::ok);
        let read_units = output.map_or(0.0, |output| self.read_units(output, sent));
        let touched = output.map_or(0.0, touched_units);
        let write_units = sent.write_units.unwrap_or_default() + touched;
        Trip { to: "dynamodb", began: sent.began, ended: Instant::now(), read_units, write_units }.record();
        Ok(())
    }
}

impl DynamoDbMeter {
    fn read_units(&self, output: &Output, sent: &Sent) -> f64 {
        let share = if sent.is_consistent { 1.0 } else { 0.5 };
        if let Some(get) = output.downcast_ref::<GetItemOutput>() {
            get.item().into_iter().for_each(|item| self.remember(item));
            return share * get.item().map_or(1.0, |item| read_units(item_size(item)));
        }
        if let Some(batch) = output.downcast_ref::<BatchGetItemOutput>() {
            let items = || batch.responses().into_iter().flatten().flat_map(|(_, items)| items);
            items().for_each(|item| self.remember(item));
            let unprocessed: usize = batch.unprocessed_keys().into_iter().flatten().map(|(_, rest)| rest.keys().len()).sum();
            let absent = sent.keys.saturating_sub(items().count() + unprocessed) as f64;
            return absent + items().map(|item| read_units(item_size(item))).sum::<f64>();
        }
        let query = output.downcast_ref::<QueryOutput>();
        query.map_or(0.0, |query| share * read_units(query.items().iter().map(item_size).sum()))
    }
}

/// Write units of an update or deletion that only the reply tells.
fn touched_units(output: &Output) -> f64 {
    let updated = output.downcast_ref::<UpdateItemOutput>().map(UpdateItemOutput::attributes);
    let deleted = output.downcast_ref::<DeleteItemOutput>().map(DeleteItemOutput::attributes);
    updated.or(deleted).map_or(0.0, |attributes| attributes.map_or(1.0, base_write_units))
}

fn key_of(item: &Attributes) -> Option<String> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    Some(format!("{} {}", text(PK)?, text(SK)?))
}

fn entries_of(item: &Attributes) -> Entries {
    let is_index = |name: &str| name.starts_with("gsi") && (name.ends_with("pk") || name.ends_with("sk"));
    let mut entries: Entries = item
        .iter()
        .filter(|(name, _)| is_index(name))
        .filter_map(|(name, value)| Some((name.clone(), value.as_s().ok()?.clone())))
        .collect();
    entries.sort();
    entries
}

type Attributes = HashMap<String, AttributeValue>;

fn is_consistent(input: &Input) -> bool {
    if let Some(query) = input.downcast_ref::<QueryInput>() {
        return query.consistent_read() == Some(true);
    }
    input.downcast_ref::<GetItemInput>().is_none_or(|get| get.consistent_read() == Some(true))
}

fn read_units(bytes: usize) -> f64 {
    bytes.div_ceil(4_096).max(1) as f64
}

fn base_write_units(item: &Attributes) -> f64 {
    item_size(item).div_ceil(1_024).max(1) as f64
}

/// The size of an item in bytes, as DynamoDB counts it: names and values in UTF-8; numbers about half a byte per digit plus one;
/// three bytes for each list or map and one for each of its members.
pub(super) fn item_size(item: &Attributes) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::L(items) => 3 + items.iter().map(|item| 1 + value_size(item)).sum::<usize>(),
        AttributeValue::M(map) => 3 + map.len() + item_size(map),
        AttributeValue::Ss(texts) | AttributeValue::Ns(texts) => texts.iter().map(String::len).sum(),
        _ => 1,
    }
}
