//! Reports requests to DynamoDB as IAM sees them: each operation of a transaction is an action of its own.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemInput;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemInput;
use aws_sdk_dynamodb::operation::get_item::GetItemInput;
use aws_sdk_dynamodb::operation::put_item::PutItemInput;
use aws_sdk_dynamodb::operation::query::QueryInput;
use aws_sdk_dynamodb::operation::scan::ScanInput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsInput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemInput;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{BeforeSerializationInterceptorContextRef, Input};
use aws_smithy_types::config_bag::ConfigBag;

use super::keys::{PK, SK};
use crate::telemetry::actions::record;

/// Reports every request to the log of actions.
#[derive(Debug)]
pub(super) struct ActionRecorder;

impl Intercept for ActionRecorder {
    fn name(&self) -> &'static str {
        "ActionRecorder"
    }

    fn read_before_execution(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        report(context.input());
        Ok(())
    }
}

type Item = HashMap<String, AttributeValue>;
type Names = HashMap<String, String>;

fn report(input: &Input) {
    if let Some(get) = input.downcast_ref::<GetItemInput>() {
        on_table("GetItem", get.key(), BTreeSet::new());
    } else if let Some(batch) = input.downcast_ref::<BatchGetItemInput>() {
        for (_, wanted) in batch.request_items().into_iter().flatten() {
            wanted.keys().iter().for_each(|key| on_table("BatchGetItem", Some(key), BTreeSet::new()));
        }
    } else if let Some(query) = input.downcast_ref::<QueryInput>() {
        let partition = query.expression_attribute_values().and_then(|values| values.get(":pk"));
        let resource = query.index_name().map_or_else(|| "table".to_owned(), |index| format!("index/{index}"));
        record("dynamodb:Query", resource, text(partition), BTreeSet::new());
    } else if input.downcast_ref::<ScanInput>().is_some() {
        record("dynamodb:Scan", "table".to_owned(), "", BTreeSet::new());
    } else if let Some(put) = input.downcast_ref::<PutItemInput>() {
        put_item(put.item(), put.condition_expression(), put.expression_attribute_names());
    } else if let Some(update) = input.downcast_ref::<UpdateItemInput>() {
        let expressions = [update.update_expression(), update.condition_expression()];
        on_table("UpdateItem", update.key(), named(expressions, update.expression_attribute_names()));
    } else if let Some(delete) = input.downcast_ref::<DeleteItemInput>() {
        on_table("DeleteItem", delete.key(), named([delete.condition_expression()], delete.expression_attribute_names()));
    } else if let Some(transaction) = input.downcast_ref::<TransactWriteItemsInput>() {
        for write in transaction.transact_items() {
            if let Some(put) = write.put() {
                put_item(Some(put.item()), put.condition_expression(), put.expression_attribute_names());
            }
            if let Some(update) = write.update() {
                let expressions = [Some(update.update_expression()), update.condition_expression()];
                on_table("UpdateItem", Some(update.key()), named(expressions, update.expression_attribute_names()));
            }
            if let Some(delete) = write.delete() {
                let attributes = named([delete.condition_expression()], delete.expression_attribute_names());
                on_table("DeleteItem", Some(delete.key()), attributes);
            }
            if let Some(check) = write.condition_check() {
                let attributes = named([Some(check.condition_expression())], check.expression_attribute_names());
                on_table("ConditionCheckItem", Some(check.key()), attributes);
            }
        }
    } else {
        // Whatever else is sent shows up as something that no role allows.
        record("dynamodb:Other", "table".to_owned(), "", BTreeSet::new());
    }
}

fn put_item(item: Option<&Item>, condition: Option<&str>, names: Option<&Names>) {
    let mut attributes = named([condition], names);
    attributes.extend(item.into_iter().flatten().map(|(name, _)| name.clone()));
    on_table("PutItem", item, attributes);
}

fn on_table(action: &str, key: Option<&Item>, attributes: BTreeSet<String>) {
    record(&format!("dynamodb:{action}"), "table".to_owned(), text(key.and_then(|key| key.get(PK))), attributes);
}

fn text(value: Option<&AttributeValue>) -> &str {
    value.and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

/// The attributes that expressions name, and those of the key.
fn named<const N: usize>(expressions: [Option<&str>; N], names: Option<&Names>) -> BTreeSet<String> {
    let mut attributes = BTreeSet::from([PK.to_owned(), SK.to_owned()]);
    for word in expressions.into_iter().flatten().flat_map(|text| text.split(|c: char| !is_part(c))) {
        let is_name = word.starts_with(|first: char| first.is_ascii_alphabetic()) && !WORDS.contains(&word);
        // In a path such as `quotes.#id`, the first part is the attribute.
        let first = word.split('.').next().unwrap_or_default();
        if let Some(name) = names.and_then(|names| names.get(first)) {
            attributes.insert(name.clone());
        } else if is_name {
            attributes.insert(first.to_owned());
        }
    }
    attributes
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '#' | ':' | '.')
}

/// Words of expressions that are no attributes.
const WORDS: [&str; 15] = [
    "SET",
    "REMOVE",
    "ADD",
    "DELETE",
    "AND",
    "OR",
    "NOT",
    "BETWEEN",
    "IN",
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "if_not_exists",
    "size",
    "contains",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_name_attributes_and_nothing_else() {
        let names = Names::from([("#ttl".to_owned(), "ttl".to_owned()), ("#id".to_owned(), "x1".to_owned())]);
        let expression = "SET n = if_not_exists(n, :zero) + :one, #ttl = :ttl, quotes.#id = :q REMOVE lease";
        let found = named([Some(expression), Some("attribute_exists(PK) AND version = :v")], Some(&names));
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), ["PK", "SK", "lease", "n", "quotes", "ttl", "version"]);
    }
}
