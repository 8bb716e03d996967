//! Items as the next version of the service, and the one before, would have written them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::books::Books;
use crate::expect::text;
use crate::failure::{Failure, Outcome};
use crate::world::World;

/// The attribute that the next version has added to everything.
const ADDED: &str = "next";
/// The records within items, and the lists of records. The next version adds attributes to them, too.
const RECORDS: &[&str] =
    &["endpoint", "last_test", "pay", "payment", "opinion", "answer", "wallets", "passkeys", "att", "calls", "payments"];
/// Items that are written anew from others. Nothing in them has to be kept.
const DERIVED: &[&str] = &["day_score", "paid", "score_cursor", "stats_cursor", "stats_due", "stats_total"];
/// What older versions have not written, by kind of item.
const LACKING: &[(&str, &[&str])] =
    &[("profile", &["standing", "claim_count", "summaries_stale"]), ("listing", &["figures", "figures_ms"])];

/// The table after the next version has written every item of it.
pub struct NextVersion {
    items: Vec<Value>,
}

/// A value of each type that DynamoDB stores, except sets.
fn added() -> Value {
    json!({ "M": {
        "text": { "S": "new" }, "number": { "N": "9007199254740993" }, "negative": { "N": "-5" }, "bytes": { "B": "AAECAw==" },
        "list": { "L": [{ "BOOL": true }, { "NULL": true }, { "M": { "deep": { "N": "1" } } }] },
    } })
}

fn add_to(record: &mut Value) {
    let Some(members) = record.as_object_mut() else { return };
    for (_, value) in members.iter_mut().filter(|(name, _)| RECORDS.contains(&name.as_str())) {
        match value {
            value if value["M"].is_object() => add_to(&mut value["M"]),
            value => value["L"]
                .as_array_mut()
                .into_iter()
                .flatten()
                .filter(|one| one["M"].is_object())
                .for_each(|one| add_to(&mut one["M"])),
        }
    }
    members.insert(ADDED.to_owned(), added());
}

/// Whether a record has what was added, whole, and so have the records in it. Of a list, as many entries as are left.
fn is_kept(before: &Value, now: &Value) -> bool {
    let nested = before.as_object().into_iter().flatten().filter(|(name, _)| RECORDS.contains(&name.as_str()));
    let mut nested = nested.map(|(name, value)| (value, &now[name]));
    now[ADDED] == before[ADDED]
        && nested.all(|(value, now)| match (&value["L"], &now["L"]) {
            (Value::Array(entries), Value::Array(left)) => {
                let kept = left.iter().filter(|left| entries.iter().any(|entry| is_kept(&entry["M"], &left["M"]))).count();
                kept >= entries.len().min(left.len())
            }
            _ => now["M"].is_null() || is_kept(&value["M"], &now["M"]),
        })
}

fn key_of(item: &Value) -> Value {
    json!({ "PK": item["PK"], "SK": item["SK"] })
}

impl World {
    /// Makes every item one that the next version has written.
    pub async fn next_version(&self) -> Result<NextVersion, Failure> {
        let books = self.table_of_books()?;
        let mut items = books.items().await?;
        for item in &mut items {
            add_to(item);
            books.put(item).await?;
        }
        Ok(NextVersion { items })
    }

    /// Makes every item one of the version before: without the attributes that have been added since.
    pub async fn version_before(&self) -> Outcome {
        let books = self.table_of_books()?;
        for item in books.items().await? {
            let lacking = LACKING.iter().find(|(kind, _)| item["kind"]["S"] == *kind);
            if let Some((_, lacking)) = lacking {
                books.change(&key_of(&item), &format!("REMOVE {}", lacking.join(", ")), None).await?;
            }
        }
        Ok(())
    }

    /// Sets an attribute of a listing to this text, which this version does not know.
    pub async fn set_in_listing(&self, listing: &str, attribute: &str, value: &str) -> Outcome {
        let key = json!({ "PK": { "S": format!("LISTING#{listing}") }, "SK": { "S": "LISTING" } });
        let books = self.table_of_books()?;
        let mut item = books.item(&key).await?.ok_or_else(|| Failure::new("no such listing"))?;
        item[attribute] = json!({ "S": value });
        books.put(&item).await
    }
}

impl NextVersion {
    /// Checks that what the next version has added is still there, whole, in every item that exists. Returns the kinds of items that
    /// were written since.
    pub async fn kept(&self, world: &World) -> Result<BTreeSet<String>, Failure> {
        let books: &Books = world.table_of_books()?;
        let mut written = BTreeSet::new();
        let mut lost = Vec::new();
        for item in &self.items {
            let Some(now) = books.item(&key_of(item)).await? else { continue };
            let kind = item["kind"]["S"]
                .as_str()
                .unwrap_or_else(|| text(&item["PK"], "S").split('#').next().unwrap_or_default())
                .to_owned();
            if now == *item || DERIVED.contains(&kind.as_str()) {
                continue;
            }
            if !is_kept(item, &now) {
                lost.push(format!("{kind}: {item} became {now}"));
            }
            written.insert(kind);
        }
        if lost.is_empty() { Ok(written) } else { Err(Failure::new(format!("lost in {}", lost.join("\n")))) }
    }
}
