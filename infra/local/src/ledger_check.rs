//! Adds up the whole ledger of a table again.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use crate::dynamodb::Api;

/// Calls that are named when they do not sum to zero.
const NAMED: usize = 20;

/// One amount of a ledger, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    /// The partition of its call.
    pub call: String,
    /// `payment`, `seller_credit`, `marketplace_fee` or `adjustment`.
    pub kind: String,
    /// Signed micro-dollars.
    pub micros: i128,
}

/// The amounts of an item of the table, in DynamoDB JSON: one for each leg, and none if it is no ledger record.
///
/// # Errors
/// If the item is a ledger record without a call, or a leg without a type or an amount.
pub fn amounts_of(item: &Value) -> Result<Vec<Amount>, String> {
    if !item["SK"]["S"].as_str().is_some_and(|key| key.starts_with("ENTRY#")) {
        return Ok(Vec::new());
    }
    let leg = |leg: &Value| {
        let kind = leg["M"]["type"]["S"].as_str()?;
        let micros = leg["M"]["amount"]["N"].as_str()?.parse().ok()?;
        Some(Amount { call: item["PK"]["S"].as_str()?.to_owned(), kind: kind.to_owned(), micros })
    };
    let legs = item["legs"]["L"].as_array().and_then(|legs| legs.iter().map(leg).collect::<Option<Vec<_>>>());
    legs.ok_or_else(|| format!("a ledger record has no call, or a leg no type or no amount: {}", item["SK"]))
}

/// The body of the request that scans the entries of a table.
#[must_use]
pub fn scan_of(table: &str) -> Value {
    json!({
        "TableName": table,
        "ConsistentRead": true,
        "FilterExpression": "begins_with(SK, :entry)",
        "ExpressionAttributeValues": { ":entry": { "S": "ENTRY#" } },
    })
}

/// The sums of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    entries: usize,
    by_call: BTreeMap<String, i128>,
    by_kind: BTreeMap<String, (usize, i128)>,
}

impl Sums {
    /// Adds an item of the table.
    ///
    /// # Errors
    /// As [`amounts_of`].
    pub fn add(&mut self, item: &Value) -> Result<(), String> {
        for Amount { call, kind, micros } in amounts_of(item)? {
            self.entries += 1;
            *self.by_call.entry(call).or_default() += micros;
            let (count, sum) = self.by_kind.entry(kind).or_default();
            (*count, *sum) = (*count + 1, *sum + micros);
        }
        Ok(())
    }

    /// The number of calls with entries.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.by_call.len()
    }

    /// The calls whose entries do not sum to zero, and their sums.
    pub fn differences(&self) -> impl Iterator<Item = (&str, i128)> {
        self.by_call.iter().filter(|(_, sum)| **sum != 0).map(|(call, sum)| (call.as_str(), *sum))
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, (count, sum)) in &self.by_kind {
            writeln!(f, "{kind:>16}: {count:>9} entries, {sum:>16} micro-dollars")?;
        }
        let total: i128 = self.by_call.values().sum();
        write!(f, "{:>16}: {:>9} entries of {} calls, {total} micro-dollars", "all", self.entries, self.calls())?;
        for (call, sum) in self.differences().take(NAMED) {
            write!(f, "\n{call} sums to {sum} micro-dollars")?;
        }
        let count = self.differences().count();
        write!(f, "\n{count} calls do not sum to zero")
    }
}

/// Scans the table and adds up its ledger. `endpoint` is a DynamoDB that does not check signatures.
///
/// # Errors
/// One sentence if the table cannot be read, or holds an entry that cannot.
pub async fn add_up(endpoint: &str, table: &str) -> Result<Sums, String> {
    let (api, mut sums) = (Api::at(endpoint), Sums::default());
    let mut scan = scan_of(table);
    loop {
        let page = api.call("Scan", &scan).await?;
        page["Items"].as_array().into_iter().flatten().try_for_each(|item| sums.add(item))?;
        match &page["LastEvaluatedKey"] {
            Value::Null => return Ok(sums),
            key => scan["ExclusiveStartKey"] = key.clone(),
        }
    }
}

/// Prints the sums of a table.
///
/// # Errors
/// As [`add_up`], or if a call does not sum to zero.
pub async fn run(endpoint: &str, table: &str) -> Result<(), String> {
    let sums = add_up(endpoint, table).await?;
    println!("{sums}");
    if sums.differences().next().is_some() { Err(format!("The ledger of {table} does not add up.")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(call: &str, kind: &str, amount: &str) -> Value {
        let leg = json!({ "M": { "type": { "S": kind }, "amount": { "N": amount } } });
        json!({ "PK": { "S": call }, "SK": { "S": format!("ENTRY#{kind}") }, "legs": { "L": [leg] } })
    }

    #[test]
    fn a_call_that_does_not_sum_to_zero_is_named() {
        let mut sums = Sums::default();
        let items =
            [entry("CALL#1", "payment", "-10"), entry("CALL#1", "seller_credit", "9"), entry("CALL#1", "marketplace_fee", "1")];
        items.iter().try_for_each(|item| sums.add(item)).expect("good entries");
        sums.add(&json!({ "PK": { "S": "CALL#1" }, "SK": { "S": "CALL" } })).expect("no entry");
        assert_eq!((sums.calls(), sums.differences().count()), (1, 0));
        sums.add(&entry("CALL#2", "payment", "-5")).expect("a good entry");
        assert_eq!(sums.differences().collect::<Vec<_>>(), [("CALL#2", -5)]);
        assert!(sums.to_string().contains("CALL#2 sums to -5"), "{sums}");
        assert!(sums.add(&entry("CALL#3", "payment", "much")).is_err());
    }
}
