//! What was counted of calls, changed directly in the table.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::expect::text;
use crate::failure::{Failure, Outcome};
use crate::world::World;

/// The most that an item may have.
const ITEM_BYTES: usize = 400 * 1_024;
/// What is left free in an item that is filled: less than eight events.
const FREE_BYTES: usize = 60;

/// The size of an item by DynamoDB's rules, to a few bytes.
fn size(item: &Value) -> usize {
    let of_value = |value: &Value| match (&value["S"], &value["N"], &value["B"]) {
        (Value::String(text), _, _) => text.len(),
        (_, Value::String(digits), _) => digits.len().div_ceil(2) + 1,
        (_, _, Value::String(bytes)) => STANDARD.decode(bytes).map_or(0, |bytes| bytes.len()),
        _ => 1,
    };
    item.as_object().into_iter().flatten().map(|(name, value)| name.len() + of_value(value)).sum()
}

impl World {
    /// The slices of a seller.
    async fn slices_of(&self, seller: &str) -> Result<Vec<Value>, Failure> {
        let mut items = self.table_of_books()?.items().await?;
        let pk = format!("STATS#{seller}");
        items.retain(|item| text(&item["PK"], "S") == pk && text(&item["SK"], "S").starts_with("T#"));
        Ok(items)
    }

    /// Makes slices of a seller, or of `ALL`, so large as the version before could make them: full of events of other calls.
    pub async fn fill_slices(&self, seller: &str) -> Outcome {
        for mut item in self.slices_of(seller).await? {
            let mut seen = STANDARD.decode(text(&item["s"], "B"))?;
            let free = ITEM_BYTES.saturating_sub(size(&item) + FREE_BYTES);
            for n in 0..u64::try_from(free / 8)? {
                seen.extend(n.to_be_bytes());
            }
            item["s"] = json!({ "B": STANDARD.encode(seen) });
            self.table_of_books()?.put(&item).await?;
        }
        Ok(())
    }

    /// Makes the slices of a seller unreadable.
    pub async fn damage_slices(&self, seller: &str) -> Outcome {
        for mut item in self.slices_of(seller).await? {
            item["p"] = json!({ "B": STANDARD.encode([1]) });
            self.table_of_books()?.put(&item).await?;
        }
        Ok(())
    }

    /// The sort keys of what is counted of a seller, or of `ALL`, and the sizes of these items.
    pub async fn counted_items(&self, seller: &str) -> Result<Vec<(String, usize)>, Failure> {
        let items = self.table_of_books()?.items().await?;
        let pk = format!("STATS#{seller}");
        let of_seller = items.iter().filter(|item| text(&item["PK"], "S") == pk);
        Ok(of_seller.map(|item| (text(&item["SK"], "S").to_owned(), size(item))).collect())
    }
}
