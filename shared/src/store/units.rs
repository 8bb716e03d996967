//! Measures requests to DynamoDB in capacity units.
//!
//! The local engines disagree about consumed capacity, so units are computed by AWS's published rules: a consistent read costs one
//! unit per started 4 KB; an eventually consistent one, and a query of an index, half of that; a write, one unit per started 1 KB; a write in a transaction, two.
//! Each index that contains the item adds one more write.

use std::collections::HashMap;
use std::time::Instant;

use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemOutput;
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

use crate::telemetry::meter::Trip;

/// Measures every DynamoDB request. It refuses to send a batch read that is not consistent.
#[derive(Debug)]
pub(crate) struct DynamoDbMeter;

/// What is known about a request before it is sent. The SDK drops its input once it is serialised.
#[derive(Debug)]
struct Sent {
    began: Instant,
    write_units: Option<f64>,
    is_consistent: bool,
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
        if let Some(read) = input.downcast_ref::<BatchGetItemInput>()
            && read.request_items().into_iter().flatten().any(|(_, keys)| keys.consistent_read() != Some(true))
        {
            return Err("a batch read must be consistent: money is decided on it".into());
        }
        let mut layer = Layer::new("DynamoDbMeter");
        layer.store_put(Sent { began: Instant::now(), write_units: planned_writes(input), is_consistent: is_consistent(input) });
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
        let (read_units, touched) = output.map_or((0.0, 0.0), |output| units_of(output, sent.is_consistent));
        let write_units = sent.write_units.unwrap_or(touched);
        Trip { to: "dynamodb", began: sent.began, ended: Instant::now(), read_units, write_units }.record();
        Ok(())
    }
}

type Attributes = HashMap<String, AttributeValue>;

/// Write units of a put or a transaction; `None` if only the reply tells the size.
fn planned_writes(input: &Input) -> Option<f64> {
    if let Some(put) = input.downcast_ref::<PutItemInput>() {
        return put.item().map(write_units);
    }
    let transaction = input.downcast_ref::<TransactWriteItemsInput>()?;
    let writes = transaction
        .transact_items()
        .iter()
        .map(|operation| operation.put().map_or(2.0, |put| 2.0 * base_write_units(put.item()) + index_writes(put.item())));
    Some(writes.sum())
}

fn is_consistent(input: &Input) -> bool {
    let query = input.downcast_ref::<QueryInput>().map(QueryInput::consistent_read);
    let get = || input.downcast_ref::<GetItemInput>().map(GetItemInput::consistent_read);
    query.or_else(get).is_none_or(|consistent| consistent == Some(true))
}

/// Read units, and write units of an update or deletion, by the reply.
fn units_of(output: &Output, is_consistent: bool) -> (f64, f64) {
    let share = if is_consistent { 1.0 } else { 0.5 };
    if let Some(get) = output.downcast_ref::<GetItemOutput>() {
        // A missing item costs as much as the smallest one.
        (share * get.item().map_or(1.0, |item| read_units(item_size(item))), 0.0)
    } else if let Some(batch) = output.downcast_ref::<BatchGetItemOutput>() {
        (batch.responses().into_iter().flatten().flat_map(|(_, items)| items).map(|item| read_units(item_size(item))).sum(), 0.0)
    } else if let Some(query) = output.downcast_ref::<QueryOutput>() {
        (share * read_units(query.items().iter().map(item_size).sum()), 0.0)
    } else {
        let touched = output
            .downcast_ref::<UpdateItemOutput>()
            .and_then(UpdateItemOutput::attributes)
            .or_else(|| output.downcast_ref::<DeleteItemOutput>().and_then(DeleteItemOutput::attributes));
        (0.0, touched.map_or(1.0, write_units))
    }
}

fn read_units(bytes: usize) -> f64 {
    bytes.div_ceil(4_096).max(1) as f64
}

fn base_write_units(item: &Attributes) -> f64 {
    item_size(item).div_ceil(1_024).max(1) as f64
}

fn index_writes(item: &Attributes) -> f64 {
    item.keys().filter(|name| name.starts_with("gsi") && name.ends_with("pk")).count() as f64
}

fn write_units(item: &Attributes) -> f64 {
    base_write_units(item) + index_writes(item)
}

/// The size of an item in bytes, as DynamoDB counts it: names and values in UTF-8; numbers about half a byte per digit plus one;
/// three bytes for each list or map and one for each of its members.
fn item_size(item: &Attributes) -> usize {
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
