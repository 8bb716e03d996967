//! The table, read and changed directly: an audit of all ledger entries, and states that no route can set.

use crochet_client::Client;
use crochet_local::ledger_check::{Sums, amounts_of, scan_of};
use http::Method;
use serde_json::{Value, json};

use crate::failure::Failure;

/// Direct access to the table.
#[derive(Clone)]
pub(crate) struct Books {
    client: Client,
    url: String,
    table: String,
}

impl Books {
    pub(crate) fn new(client: Client, url: String, table: String) -> Self {
        Self { client, url, table }
    }

    /// Checks that the entries of each call sum to zero across accounts. Returns the number of calls with entries.
    ///
    /// # Errors
    /// The first call whose entries do not.
    pub(crate) async fn add_up(&self) -> Result<usize, Failure> {
        let mut sums = Sums::default();
        let mut scan = scan_of(&self.table);
        loop {
            let page = self.ask("Scan", &scan).await?;
            page["Items"].as_array().into_iter().flatten().try_for_each(|item| sums.add(item)).map_err(Failure::new)?;
            match &page["LastEvaluatedKey"] {
                Value::Null => break,
                key => scan["ExclusiveStartKey"] = key.clone(),
            }
        }
        for (call, _) in sums.differences() {
            // A scan may see half of another test's settlement. A query of one call does not.
            let sum = self.sum_of(call).await?;
            if sum != 0 {
                return Err(Failure::new(format!("the entries of {call} sum to {sum} micro-dollars, not to zero")));
            }
        }
        Ok(sums.calls())
    }

    async fn sum_of(&self, call: &str) -> Result<i128, Failure> {
        let query = json!({
            "TableName": self.table,
            "ConsistentRead": true,
            "KeyConditionExpression": "PK = :call",
            "ExpressionAttributeValues": { ":call": { "S": call } },
        });
        let page = self.ask("Query", &query).await?;
        let mut sum = 0;
        for item in page["Items"].as_array().into_iter().flatten() {
            sum += amounts_of(item).map_err(Failure::new)?.iter().map(|amount| amount.micros).sum::<i128>();
        }
        Ok(sum)
    }

    /// The number of in-flight slots of a listing that are taken at `now` (Unix seconds): calls that began and have not ended. A slot counts in
    /// its minute and the next.
    pub(crate) async fn slots_taken(&self, listing: &str, now: i64) -> Result<i64, Failure> {
        let key = json!({ "PK": { "S": format!("TRAFFIC#{listing}") }, "SK": { "S": "TRAFFIC" } });
        let item = self.item(&key).await?.unwrap_or_default();
        let ends = |value: &Value| value["N"].as_str().and_then(|digits| digits.parse::<i64>().ok()).unwrap_or(0);
        let slots = item.as_object().into_iter().flatten().filter(|(name, _)| name.starts_with("s:"));
        let taken = slots.filter(|(_, value)| ends(value) > now * 1_000).count();
        Ok(i64::try_from(taken).unwrap_or(i64::MAX))
    }

    /// Sets members of a listing's endpoint, in DynamoDB JSON. Without members, it removes the endpoint.
    pub(crate) async fn set_endpoint(&self, listing: &str, members: &[(&str, Value)]) -> Result<(), Failure> {
        let mut update = json!({
            "TableName": self.table,
            "Key": { "PK": { "S": format!("LISTING#{listing}") }, "SK": { "S": "LISTING" } },
            "UpdateExpression": "REMOVE endpoint",
        });
        if !members.is_empty() {
            let sets: Vec<String> = members.iter().map(|(name, _)| format!("endpoint.#{name} = :{name}")).collect();
            update["UpdateExpression"] = format!("SET {}", sets.join(", ")).into();
            for (name, value) in members {
                update["ExpressionAttributeNames"][format!("#{name}")] = (*name).into();
                update["ExpressionAttributeValues"][format!(":{name}")] = value.clone();
            }
        }
        self.ask("UpdateItem", &update).await.map(drop)
    }

    /// Suspends a listing as an operator would.
    pub(crate) async fn suspend(&self, listing: &str) -> Result<(), Failure> {
        let update = json!({
            "TableName": self.table,
            "Key": { "PK": { "S": format!("LISTING#{listing}") }, "SK": { "S": "LISTING" } },
            "UpdateExpression": "SET #status = :suspended, suspended_by = :operator, version = version + :one",
            "ExpressionAttributeNames": { "#status": "status" },
            "ExpressionAttributeValues": {
                ":suspended": { "S": "suspended" }, ":operator": { "S": "operator" }, ":one": { "N": "1" },
            },
        });
        self.ask("UpdateItem", &update).await.map(drop)
    }

    /// Every item of the table, in DynamoDB JSON.
    pub(crate) async fn items(&self) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        let mut start = Value::Null;
        loop {
            let mut scan = json!({ "TableName": self.table, "ConsistentRead": true });
            if !start.is_null() {
                scan["ExclusiveStartKey"] = start;
            }
            let page = self.ask("Scan", &scan).await?;
            items.extend(page["Items"].as_array().into_iter().flatten().cloned());
            start = page["LastEvaluatedKey"].clone();
            if start.is_null() {
                return Ok(items);
            }
        }
    }

    /// The item at this key, in DynamoDB JSON.
    pub(crate) async fn item(&self, key: &Value) -> Result<Option<Value>, Failure> {
        let found = self.ask("GetItem", &json!({ "TableName": self.table, "Key": key, "ConsistentRead": true })).await?;
        Ok(found.get("Item").filter(|item| item.as_object().is_some_and(|item| !item.is_empty())).cloned())
    }

    /// Updates the item at this key with an expression, in which `:v` is the value.
    pub(crate) async fn change(&self, key: &Value, expression: &str, value: Option<&Value>) -> Result<(), Failure> {
        let mut update = json!({ "TableName": self.table, "Key": key, "UpdateExpression": expression });
        if let Some(value) = value {
            update["ExpressionAttributeValues"] = json!({ ":v": value });
        }
        self.ask("UpdateItem", &update).await.map(drop)
    }

    /// Puts an item, in DynamoDB JSON.
    pub(crate) async fn put(&self, item: &Value) -> Result<(), Failure> {
        self.ask("PutItem", &json!({ "TableName": self.table, "Item": item })).await.map(drop)
    }

    /// Deletes the item at this key.
    pub(crate) async fn delete(&self, key: &Value) -> Result<(), Failure> {
        self.ask("DeleteItem", &json!({ "TableName": self.table, "Key": key })).await.map(drop)
    }

    async fn ask(&self, operation: &str, body: &Value) -> Result<Value, Failure> {
        let reply = self
            .client
            .request(Method::POST, &format!("{}/", self.url.trim_end_matches('/')))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", &format!("DynamoDB_20120810.{operation}"))
            .header("x-amz-date", "20260101T000000Z")
            // Local engines read the key id and the region and do not check the signature.
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
                 SignedHeaders=host;x-amz-date;x-amz-target, Signature=0",
            )
            .raw_body(body.to_string())
            .send()
            .await?;
        if reply.status != 200 {
            return Err(Failure::new(format!("DynamoDB refused {operation}: {}", reply.text())));
        }
        Ok(reply.json)
    }
}
