//! The traffic of a listing, in one item: its calls in flight, its calls of the minute by buyer, and its breaker.
//!
//! A call acquires a slot before it is sent and releases it afterwards. A slot ends by itself, in case its process dies. The write
//! that acquires a slot returns the exact traffic, which decides whether the slot may be used. Each slot and each count is an
//! attribute of its own, so no write waits for another, and repeating a write changes nothing.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_dynamo::from_attribute_value;

use super::conditional::WriteError;
use super::counter::number;
use super::item::{Item, n};
use super::write::Update;
use super::{Store, StoreError, keys};
use crochet_domain::breaker::{BreakerRecord, FAILURE_KEPT_MS};
use crochet_domain::ids::{ListingId, ProfileId, random_bytes};
use crochet_domain::share::{Held, Holder};

/// `s:<holder>:<token>`: a slot. The value is when it ends (Unix milliseconds).
const SLOT: &str = "s:";
/// `c:<minute>:<holder>`: the number of calls of a holder that began in a minute.
const CALLS: &str = "c:";
/// The breaker's record.
pub(super) const BREAKER: &str = "breaker";
/// Largest limit of calls per minute for which each buyer is counted alone. Above it, 256 groups of buyers are counted, so that the
/// item stays small.
const COUNTED_ALONE: u32 = 1_000;
/// Maximum number of outdated attributes that one write removes.
const MAX_REMOVED: usize = 40;

/// A call's slot at a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    listing: ListingId,
    buyer: Holder,
    token: String,
    /// When it ends by itself (Unix milliseconds).
    until_ms: i64,
    /// How the call counts towards the seller's limit of calls per minute, if there is one.
    counted: Option<CountedCall>,
}

/// Minute and holder under which a call counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedCall {
    minute: i64,
    holder: Holder,
}

/// The traffic of a listing.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    /// End and holder of each slot, by attribute.
    slots: BTreeMap<String, (i64, Holder)>,
    /// Minute, holder and number of calls, by attribute.
    calls: BTreeMap<String, (i64, Holder, u32)>,
    /// The record of the endpoint's breaker.
    pub breaker: Option<BreakerRecord>,
}

impl CountedCall {
    /// A call of `buyer` that begins in `minute` (since the Unix epoch) at a seller with this limit of calls per minute.
    #[must_use]
    pub fn of(buyer: ProfileId, minute: i64, limit: u32) -> Self {
        let holder = if limit <= COUNTED_ALONE { Holder::of(buyer) } else { Holder::group_of(buyer, minute) };
        Self { minute, holder }
    }

    /// Under whom the call counts.
    #[must_use]
    pub fn holder(&self) -> &Holder {
        &self.holder
    }

    fn attribute(&self) -> String {
        format!("{CALLS}{}:{}", self.minute, self.holder.as_str())
    }
}

impl Slot {
    /// A slot for a call of `buyer`, until `until_ms` (Unix milliseconds) at the latest.
    #[must_use]
    pub fn new(listing: ListingId, buyer: ProfileId, until_ms: i64, counted: Option<CountedCall>) -> Self {
        Self { listing, buyer: Holder::of(buyer), token: hex::encode(random_bytes::<4>()), until_ms, counted }
    }

    /// The listing.
    #[must_use]
    pub fn listing(&self) -> ListingId {
        self.listing
    }

    /// How the call counts towards the seller's limit of calls per minute.
    #[must_use]
    pub fn counted(&self) -> Option<&CountedCall> {
        self.counted.as_ref()
    }

    fn attribute(&self) -> String {
        format!("{SLOT}{}:{}", self.buyer.as_str(), self.token)
    }
}

impl Traffic {
    /// The slots that have not ended, by buyer.
    #[must_use]
    pub fn in_flight(&self, now_ms: i64) -> Held {
        let mut held = Held::default();
        for (_, holder) in self.slots.values().filter(|(until_ms, _)| now_ms < *until_ms) {
            held.add(holder.clone(), 1);
        }
        held
    }

    /// The calls of the minute of `call`, by holder.
    #[must_use]
    pub fn calls(&self, call: &CountedCall) -> Held {
        let mut held = Held::default();
        for (_, holder, count) in self.calls.values().filter(|(minute, ..)| *minute == call.minute) {
            held.add(holder.clone(), *count);
        }
        held
    }

    /// The same traffic without this slot and its call.
    #[must_use]
    pub fn without(&self, slot: &Slot) -> Self {
        let mut traffic = self.clone();
        traffic.slots.remove(&slot.attribute());
        if let Some((.., count)) = slot.counted.as_ref().and_then(|counted| traffic.calls.get_mut(&counted.attribute())) {
            *count = count.saturating_sub(1);
        }
        traffic
    }

    /// Parses the item.
    ///
    /// # Errors
    /// [`StoreError::Defect`] if an attribute is not what this version writes.
    pub(super) fn of(mut item: Item) -> Result<Self, StoreError> {
        let breaker = item.remove(BREAKER).map(from_attribute_value).transpose().map_err(StoreError::defect)?;
        let mut traffic = Self { breaker, ..Self::default() };
        for (name, value) in item {
            if let Some((holder, _)) = name.strip_prefix(SLOT).and_then(|rest| rest.split_once(':')) {
                let slot = (whole(&value)?, Holder::stored(holder));
                traffic.slots.insert(name, slot);
            } else if let Some((minute, holder)) = name.strip_prefix(CALLS).and_then(|rest| rest.split_once(':')) {
                let minute = minute.parse().map_err(StoreError::defect)?;
                let calls = (minute, Holder::stored(holder), number(Some(&value)));
                traffic.calls.insert(name, calls);
            }
        }
        Ok(traffic)
    }

    /// Attributes that mean nothing any more. A clock may be a little late, so the minute before the last still counts.
    fn outdated(&self, now_ms: i64) -> impl Iterator<Item = &String> {
        let ended = self.slots.iter().filter(move |(_, (until_ms, _))| *until_ms <= now_ms).map(|(name, _)| name);
        let oldest_minute = now_ms.div_euclid(60_000) - 1;
        let past = self.calls.iter().filter(move |(_, (minute, ..))| *minute < oldest_minute).map(|(name, _)| name);
        ended.chain(past)
    }
}

impl Store {
    /// The listing's traffic as it was a moment ago. Nobody may be refused by it.
    pub async fn recent_traffic(&self, listing: ListingId) -> Result<Traffic, StoreError> {
        self.table.get_eventually(&keys::traffic(listing)).await?.map_or_else(|| Ok(Traffic::default()), Traffic::of)
    }

    /// The listing's traffic.
    pub async fn traffic(&self, listing: ListingId) -> Result<Traffic, StoreError> {
        self.table.get_item(&keys::traffic(listing)).await?.map_or_else(|| Ok(Traffic::default()), Traffic::of)
    }

    /// Acquires a slot. Returns the exact traffic, this slot included. Whether it may be used is for the caller to decide.
    pub async fn acquire_slot(&self, slot: &Slot, now_ms: i64) -> Result<Traffic, StoreError> {
        let mut expression = String::from("SET #slot = :until, #ttl = :ttl");
        let mut update = Update::default()
            .name("#slot", &slot.attribute())
            .name("#ttl", keys::TTL)
            .number(":until", slot.until_ms)
            .number(":ttl", expires(now_ms))
            .when("attribute_not_exists(#slot)");
        if let Some(counted) = &slot.counted {
            expression.push_str(" ADD #calls :one");
            update = update.name("#calls", &counted.attribute()).number(":one", 1);
        }
        update.expression = expression;
        match self.table.update(&keys::traffic(slot.listing), update).await {
            Ok(item) => Traffic::of(item),
            // The first reply was lost.
            Err(WriteError::ConditionFailed(Some(item))) if item.get(&slot.attribute()) == Some(&n(slot.until_ms)) => {
                Traffic::of(item)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Releases the slot of a call that reached the seller. `seen` is the traffic at any time since it was acquired: what is outdated
    /// of it is removed as well. Safe to repeat.
    pub async fn release_slot(&self, slot: &Slot, seen: &Traffic, now_ms: i64) -> Result<(), StoreError> {
        self.end_slot(slot, false, seen, now_ms).await
    }

    /// Cancels the slot of a call that was not sent, as if it had not begun. Otherwise like [`Store::release_slot`].
    pub async fn cancel_slot(&self, slot: &Slot, seen: &Traffic, now_ms: i64) -> Result<(), StoreError> {
        self.end_slot(slot, true, seen, now_ms).await
    }

    async fn end_slot(&self, slot: &Slot, uncount: bool, seen: &Traffic, now_ms: i64) -> Result<(), StoreError> {
        let own = slot.attribute();
        let counted = slot.counted.as_ref().filter(|_| uncount).map(CountedCall::attribute);
        let outdated: Vec<&String> =
            seen.outdated(now_ms).filter(|name| **name != own && Some(*name) != counted.as_ref()).take(MAX_REMOVED).collect();
        let mut expression = String::from("REMOVE #slot");
        let mut update = Update::default().name("#slot", &own).when("attribute_exists(#slot)");
        for (i, name) in outdated.into_iter().enumerate() {
            expression.push_str(&format!(", #x{i}"));
            update = update.name(&format!("#x{i}"), name);
        }
        if let Some(counted) = counted {
            expression.push_str(" ADD #calls :less");
            update = update.name("#calls", &counted).number(":less", -1);
        }
        update.expression = expression;
        match self.table.update(&keys::traffic(slot.listing), update).await {
            // It was given back before, or it has ended.
            Ok(_) | Err(WriteError::ConditionFailed(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// When the item may be deleted (Unix seconds): nothing of it means anything a day after its last change.
pub(super) fn expires(now_ms: i64) -> i64 {
    (now_ms + 2 * FAILURE_KEPT_MS) / 1_000
}

fn whole(value: &AttributeValue) -> Result<i64, StoreError> {
    let digits = value.as_n().map_err(|_| StoreError::Defect("a slot's end is not a number".into()))?;
    digits.parse().map_err(StoreError::defect)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(n: u8) -> ProfileId {
        ProfileId::from_bytes([n; 16])
    }

    #[test]
    fn an_items_slots_and_calls_are_read_and_what_is_outdated_is_known() {
        let (minute, now_ms) = (29_000_000, 29_000_000 * 60_000 + 30_000);
        let counted = |minute| CountedCall::of(profile(1), minute, 60);
        let slot = |n, until_ms| Slot::new(ListingId::from_bytes([9; 16]), profile(n), until_ms, None);
        let mut item = Item::new();
        for (slot, until_ms) in [(slot(1, now_ms + 1), now_ms + 1), (slot(1, now_ms), now_ms), (slot(2, now_ms + 9), now_ms + 9)] {
            item.insert(slot.attribute(), n(until_ms));
        }
        for (minute, count) in [(minute, 7), (minute - 1, 5), (minute - 2, 3)] {
            item.insert(counted(minute).attribute(), n(count));
        }
        item.insert(keys::TTL.into(), n(1));
        let traffic = Traffic::of(item).expect("the item");
        let held = traffic.in_flight(now_ms);
        assert_eq!((held.by(&Holder::of(profile(1))), held.by(&Holder::of(profile(2))), held.total()), (1, 1, 2));
        let calls = traffic.calls(&counted(minute));
        assert_eq!((calls.by(&Holder::of(profile(1))), calls.by(&Holder::of(profile(2))), calls.total()), (7, 0, 7));
        let outdated: Vec<&String> = traffic.outdated(now_ms).collect();
        assert_eq!(outdated.len(), 2, "{outdated:?}");
        assert!(outdated.contains(&&counted(minute - 2).attribute()));
        assert!(Traffic::of(Item::from([(format!("{SLOT}a:b"), AttributeValue::S("soon".into()))])).is_err());
    }

    #[test]
    fn above_a_thousand_a_minute_buyers_are_counted_in_groups() {
        assert_eq!(CountedCall::of(profile(1), 5, 1_000).holder, Holder::of(profile(1)));
        assert_eq!(CountedCall::of(profile(1), 5, 1_001).holder, Holder::group_of(profile(1), 5));
    }
}
