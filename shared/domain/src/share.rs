//! How a limit is shared.
//!
//! One rule for the calls in flight at a listing, for the seller's calls per minute, and for what is asked of the payment provider:
//! a buyer holds at most half of what the others leave, and one in any case while there is room. So nobody can use up a limit alone.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::ids::ProfileId;

/// Who holds a part of a limit: a short hash, because many of them are kept in one item.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Holder(String);

impl Holder {
    /// A profile: 8 hex digits.
    #[must_use]
    pub fn of(profile: ProfileId) -> Self {
        Self(hex::encode(&Sha256::digest(profile.to_bytes())[..4]))
    }

    /// The group of a profile in this minute, one of 256: 2 hex digits. Groups are drawn anew every minute.
    #[must_use]
    pub fn group_of(profile: ProfileId, minute: i64) -> Self {
        let digest = Sha256::new().chain_update(profile.to_bytes()).chain_update(minute.to_be_bytes()).finalize();
        Self(hex::encode(&digest[..1]))
    }

    /// The holder that was stored under this text.
    #[must_use]
    pub fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is held of a limit, and by whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held(BTreeMap<Holder, u32>);

impl Held {
    /// Adds to what `holder` holds.
    pub fn add(&mut self, holder: Holder, count: u32) {
        let held = self.0.entry(holder).or_default();
        *held = held.saturating_add(count);
    }

    /// What `holder` holds.
    #[must_use]
    pub fn by(&self, holder: &Holder) -> u32 {
        self.0.get(holder).copied().unwrap_or(0)
    }

    /// What everybody holds together.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.0.values().fold(0, |sum, held| sum.saturating_add(*held))
    }

    /// Whether `holder` may hold `count` in all, of a limit that buyers share.
    #[must_use]
    pub fn allows(&self, limit: u32, holder: &Holder, count: u32) -> bool {
        let others = self.by_others(limit, holder);
        count <= share(limit, others) && count.saturating_add(others) <= limit
    }

    /// Whether `holder`, which works for the whole deployment, may hold `count` in all: a quarter of the limit, or the share of a buyer
    /// where that is more, because the others have left it.
    #[must_use]
    pub fn allows_sweeper(&self, limit: u32, holder: &Holder, count: u32) -> bool {
        let others = self.by_others(limit, holder);
        count <= (limit / 4).max(share(limit, others)) && count.saturating_add(others) <= limit
    }

    /// What the others hold. Each counts with at most the largest share that there is: what somebody holds beyond that, because a
    /// paid call is always delivered, or because it is about to be refused, is at nobody else's expense.
    fn by_others(&self, limit: u32, holder: &Holder) -> u32 {
        let largest = share(limit, 0);
        let others = self.0.iter().filter(|(other, _)| *other != holder);
        others.fold(0, |sum, (_, held)| sum.saturating_add((*held).min(largest)))
    }
}

/// The most that one buyer may hold of `limit` while the others hold so much.
#[must_use]
pub fn share(limit: u32, held_by_others: u32) -> u32 {
    (limit.saturating_sub(held_by_others) / 2).max(1)
}

#[cfg(test)]
mod tests;
