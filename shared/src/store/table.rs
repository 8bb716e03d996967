//! The table as six operations. Every request to DynamoDB is made here, so that conditions and their outcomes read alike.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, KeysAndAttributes, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use serde::de::DeserializeOwned;

use super::StoreError;
use super::keys::{self, Key, PK, SK};
use super::write::{Condition, Putting, Updating, filled, key_item, some};

/// An item as DynamoDB holds it.
pub type Item = HashMap<String, AttributeValue>;

/// The table.
#[derive(Clone, Debug)]
pub struct Table {
    client: aws_sdk_dynamodb::Client,
    pub(super) name: String,
}

/// What a conditional write came to.
#[derive(Debug)]
pub enum Written {
    /// It is written.
    Done,
    /// The condition did not hold; this is what stands there, if anything.
    Refused(Option<Item>),
}

/// What a transaction came to.
#[derive(Debug)]
pub enum Transacted {
    /// All of it is written.
    Done,
    /// Nothing is written: the condition of the operation at `index` did not hold; `found` stands there, if anything.
    Refused {
        /// Position of the first operation that was refused.
        index: usize,
        /// The item that stands there.
        found: Option<Item>,
    },
    /// Nothing is written: another transaction holds one of the items. Read again, then decide.
    Conflict,
}

/// Reads an item into its record.
///
/// # Errors
/// Where the item is not what this version writes.
pub fn record<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(StoreError::defect)
}

/// What a batch read found.
#[derive(Debug, Default)]
pub struct Found(HashMap<Key, Item>);

impl Found {
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

impl Table {
    /// The table of this name.
    #[must_use]
    pub fn new(client: aws_sdk_dynamodb::Client, name: String) -> Self {
        Self { client, name }
    }

    /// Reads one item, consistently.
    ///
    /// # Errors
    /// Where the item is not of this kind.
    pub async fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, StoreError> {
        let reply = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key_item(key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(StoreError::sdk)?;
        reply.item.map(record).transpose()
    }

    /// Reads up to 100 items at once, consistently. Keys that DynamoDB leaves unprocessed are asked for again.
    ///
    /// # Errors
    /// Where DynamoDB leaves keys unprocessed five times.
    pub async fn get_all(&self, wanted: &[Key]) -> Result<Found, StoreError> {
        self.get_all_of(wanted, &[]).await
    }

    /// As [`Table::get_all`], but brings these attributes only (none named: all). It costs the same units, and less memory.
    ///
    /// # Errors
    /// As [`Table::get_all`].
    pub async fn get_all_of(&self, wanted: &[Key], attributes: &[&str]) -> Result<Found, StoreError> {
        let names: HashMap<String, String> =
            [PK, SK].iter().chain(attributes).enumerate().map(|(i, name)| (format!("#a{i}"), (*name).to_owned())).collect();
        let projection = names.keys().cloned().collect::<Vec<_>>().join(", ");
        let mut found = Found::default();
        let mut pending: Vec<Item> = Vec::with_capacity(wanted.len());
        for key in wanted {
            if !pending.contains(&key_item(key)) {
                pending.push(key_item(key));
            }
        }
        for round in 0..5 {
            if pending.is_empty() {
                return Ok(found);
            }
            if round > 0 {
                // DynamoDB is short of capacity: asking again at once would only meet the same.
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

    /// Puts one item.
    pub async fn put(&self, putting: Putting) -> Result<Written, StoreError> {
        let condition = putting.condition.unwrap_or_default();
        let sent = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(putting.item))
            .set_condition_expression(some(condition.expression))
            .set_expression_attribute_names(filled(condition.names))
            .set_expression_attribute_values(filled(condition.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(Written::Done),
            Err(SdkError::ServiceError(e)) if e.err().is_conditional_check_failed_exception() => match e.into_err() {
                aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(e) => {
                    Ok(Written::Refused(e.item))
                }
                other => Err(StoreError::Unavailable(format!("{other}"))),
            },
            Err(e) => Err(StoreError::sdk(e)),
        }
    }

    /// Changes one item; gives it as it is afterwards.
    pub async fn update(&self, key: &Key, updating: Updating) -> Result<Result<Item, Option<Item>>, StoreError> {
        let sent = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key_item(key)))
            .update_expression(updating.expression)
            .set_condition_expression(updating.condition)
            .set_expression_attribute_names(filled(updating.names))
            .set_expression_attribute_values(filled(updating.values))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match sent {
            Ok(reply) => Ok(Ok(reply.attributes.unwrap_or_default())),
            Err(SdkError::ServiceError(e)) if e.err().is_conditional_check_failed_exception() => match e.into_err() {
                aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(e) => Ok(Err(e.item)),
                other => Err(StoreError::Unavailable(format!("{other}"))),
            },
            Err(e) => Err(StoreError::sdk(e)),
        }
    }

    /// Deletes one item and gives what stood there: reading and using up are one step, and of parallel takers one gets it.
    /// A taker whose reply was lost gets nothing the second time: what is used up stays so.
    pub async fn take<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, StoreError> {
        let sent = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(key_item(key)))
            // Without it DynamoDB Local gives the item to every one of several takers at the same moment.
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

    /// Deletes one item where `condition` holds; one that is gone already does not fulfil it.
    pub async fn remove(&self, key: &Key, condition: Condition) -> Result<Written, StoreError> {
        let sent = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(key_item(key)))
            .set_condition_expression(some(condition.expression))
            .set_expression_attribute_names(filled(condition.names))
            .set_expression_attribute_values(filled(condition.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(Written::Done),
            Err(SdkError::ServiceError(e)) if e.err().is_conditional_check_failed_exception() => match e.into_err() {
                aws_sdk_dynamodb::operation::delete_item::DeleteItemError::ConditionalCheckFailedException(e) => {
                    Ok(Written::Refused(e.item))
                }
                other => Err(StoreError::Unavailable(format!("{other}"))),
            },
            Err(e) => Err(StoreError::sdk(e)),
        }
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
        // Sort keys are ASCII, so "~" is above all of them; "!" is below.
        let from = range.from.unwrap_or("!");
        let to = range.to.unwrap_or("~");
        request = request
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
            .expression_attribute_names("#sk", sk)
            .expression_attribute_values(":from", AttributeValue::S(from.to_owned()))
            .expression_attribute_values(":to", AttributeValue::S(to.to_owned()));
        let reply = request.send().await.map_err(StoreError::sdk)?;
        Ok(reply.items.unwrap_or_default())
    }

    /// Writes all or nothing.
    pub async fn transact(&self, operations: Vec<TransactWriteItem>) -> Result<Transacted, StoreError> {
        let sent = self.client.transact_write_items().set_transact_items(Some(operations)).send().await;
        match sent {
            Ok(_) => Ok(Transacted::Done),
            Err(SdkError::ServiceError(e)) if e.err().is_transaction_canceled_exception() => match e.into_err() {
                aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(e) => {
                    verdict(e.cancellation_reasons.unwrap_or_default())
                }
                other => Err(StoreError::Unavailable(format!("{other}"))),
            },
            Err(SdkError::ServiceError(e)) if e.err().is_transaction_in_progress_exception() => Ok(Transacted::Conflict),
            Err(e) => Err(StoreError::sdk(e)),
        }
    }

    /// Opens the connection, so that the first request after a cold start does not pay for it.
    pub async fn warm(&self) -> Result<(), StoreError> {
        self.get::<serde_json::Value>(&keys::slug("!warm")).await.map(drop)
    }
}

/// A stretch of one partition.
#[derive(Debug, Clone, Copy)]
pub struct Range<'a> {
    /// An index, or the table itself.
    pub index: Option<&'static str>,
    /// The partition.
    pub partition: &'a str,
    /// The least sort key, included.
    pub from: Option<&'a str>,
    /// The greatest sort key, included.
    pub to: Option<&'a str>,
    /// From the greatest downwards.
    pub newest_first: bool,
    /// At most so many items.
    pub limit: i32,
}

fn verdict(reasons: Vec<CancellationReason>) -> Result<Transacted, StoreError> {
    let mut conflict = false;
    for (index, reason) in reasons.into_iter().enumerate() {
        match reason.code.as_deref() {
            Some("ConditionalCheckFailed") => return Ok(Transacted::Refused { index, found: reason.item }),
            Some("TransactionConflict") => conflict = true,
            Some("None") | None => {}
            Some(other) => return Err(StoreError::Unavailable(format!("transaction cancelled: {other}"))),
        }
    }
    if conflict { Ok(Transacted::Conflict) } else { Err(StoreError::Unavailable("transaction cancelled without a reason".into())) }
}

impl StoreError {
    /// Keeps the class of an SDK error and its code; never what was sent.
    pub(crate) fn sdk<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> Self {
        let class = match &error {
            SdkError::ConstructionFailure(_) => "request could not be built".to_owned(),
            SdkError::TimeoutError(_) => "no answer in time".to_owned(),
            SdkError::DispatchFailure(_) => "no connection".to_owned(),
            SdkError::ResponseError(_) => "unreadable answer".to_owned(),
            SdkError::ServiceError(e) => {
                format!("{}: {}", e.err().code().unwrap_or("unknown"), e.err().message().unwrap_or_default())
            }
            _ => "unknown failure".to_owned(),
        };
        if matches!(&error, SdkError::ServiceError(e) if e.err().code() == Some("TransactionConflictException")) {
            return Self::Conflict;
        }
        Self::Unavailable(class)
    }
}
