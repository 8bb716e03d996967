//! Exact counters: one item per subject and window.

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::Item;
use super::write::Update;
use super::{Store, StoreError, keys};
use crochet_domain::share::{Held, Holder};

/// Prefix of the attributes that count what a holder has spent.
const SPENT: &str = "b:";

impl Store {
    /// Counts one event of `subject` in the window that began at `window_start` (Unix seconds) and lasts `window_seconds`; or takes one
    /// back, with −1 as `events`. Returns the count, this event included.
    pub async fn count(&self, subject: &str, window_start: i64, window_seconds: i64, events: i64) -> Result<u32, StoreError> {
        let updating = Update::new("ADD n :events SET #ttl = :ttl")
            .name("#ttl", keys::TTL)
            .number(":events", events)
            .number(":ttl", window_start + 2 * window_seconds);
        let item = self.table.update(&keys::counter(subject, window_start), updating).await?;
        Ok(number(item.get("n")))
    }

    /// Adds to what `holder` has spent of a budget in `minute` (since the Unix epoch). Returns what everybody has spent, this
    /// included. A negative count gives back.
    pub async fn spend(&self, budget: &str, minute: i64, holder: &Holder, count: i64) -> Result<Held, StoreError> {
        let updating = Update::new("ADD #spent :count SET #ttl = :ttl")
            .name("#spent", &format!("{SPENT}{}", holder.as_str()))
            .name("#ttl", keys::TTL)
            .number(":count", count)
            .number(":ttl", (minute + 2) * 60);
        let item = self.table.update(&keys::budget(budget, minute), updating).await?;
        Ok(spent(&item))
    }
}

fn spent(item: &Item) -> Held {
    let mut held = Held::default();
    for (name, count) in item {
        if let Some(holder) = name.strip_prefix(SPENT) {
            held.add(Holder::stored(holder), number(Some(count)));
        }
    }
    held
}

/// A count; 0 if there is none, or if more was given back than counted.
pub(super) fn number(value: Option<&AttributeValue>) -> u32 {
    let digits = value.and_then(|value| value.as_n().ok());
    digits.and_then(|digits| digits.parse::<i64>().ok()).map_or(0, |count| u32::try_from(count.max(0)).unwrap_or(u32::MAX))
}
