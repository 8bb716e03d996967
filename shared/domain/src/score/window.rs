//! The last thirteen weeks of a seller, by payer: from the facts of the days to what the formula reads.
//!
//! Days hold facts. Fading, three days, clusters, and who counts are applied here, whenever a score is computed, so that claiming an
//! agent rewrites nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::fade::{DAYS, WEEKS, age_in_weeks, faded, week_of, weight};
use super::formula::{Payer, Said, Sums};
use super::review::Review;
use super::{Facts, facts::PayerFacts};
use crate::ids::{ListingId, ProfileId};
use crate::money::Micros;

/// From this age in days, an undelivered call that was not paid back is owed.
const OWED_FROM_DAYS: i32 = 3;
/// A week with this much, in milli, is active: 5 calls.
const ACTIVE_WEEK: i64 = 5_000;
/// Weeks of the past that longevity looks at, the current one included.
pub const REMEMBERED_WEEKS: i32 = 52;

/// What is known of the payers: who belongs together, and who does not count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payers {
    /// The cluster of a payer, if it is not the payer itself: its operator.
    pub clusters: BTreeMap<ProfileId, ProfileId>,
    /// Clusters that do not count: the seller's own, those with a wallet of the seller's, and those that sold to it.
    pub excluded: BTreeSet<ProfileId>,
}

impl Payers {
    /// The cluster of a payer.
    #[must_use]
    pub fn cluster(&self, payer: ProfileId) -> ProfileId {
        self.clusters.get(&payer).copied().unwrap_or(payer)
    }
}

/// What counts of one cluster, by week of age, the current one first. All of it is in milli.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Row {
    /// Delivered.
    pub kept: [i64; WEEKS],
    /// Failed, without what is owed.
    pub lost: [i64; WEEKS],
    /// Not delivered, and to be paid back by now.
    pub owed: [i64; WEEKS],
    /// How much the cluster was let down, 0 to 1000; faded.
    pub grief: i64,
    /// Everything delivered, not faded: what the voice of a review is made of.
    pub bought: i64,
}

impl Row {
    /// What the formula reads.
    #[must_use]
    pub fn payer(&self) -> Payer {
        Payer { kept: faded(&self.kept), lost: faded(&self.lost), owed: faded(&self.owed), grief: self.grief }
    }
}

/// A review of one of the seller's listings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reviewed {
    /// The listing.
    pub listing: ListingId,
    /// Who wrote it.
    pub by: ProfileId,
    /// The review.
    pub review: Review,
}

/// Thirteen weeks of a seller.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Window {
    /// A row for each cluster that counts.
    pub rows: BTreeMap<ProfileId, Row>,
    /// What was delivered with a 2xx status in each calendar week, in milli, not faded.
    pub weeks: BTreeMap<i32, i64>,
    /// The fees received for what was delivered.
    pub fees: Micros,
}

impl Window {
    /// Adds the facts of a day.
    pub fn add_day(&mut self, day: i32, facts: &PayerFacts, payers: &Payers, today: i32) {
        let Some(age) = age_in_weeks(day, today) else { return };
        for (_, payer, facts) in facts.iter() {
            let cluster = payers.cluster(payer);
            if !payers.excluded.contains(&cluster) {
                self.rows.entry(cluster).or_default().add(facts, age, day, today);
                *self.weeks.entry(week_of(day)).or_default() += facts.kept;
                self.fees = Micros(self.fees.0 + facts.fees);
            }
        }
    }

    /// What reviews say, and who complained. Of the reviews of one cluster on one listing, the newest counts; those of a cluster that
    /// does not count are nothing. All days must have been added before.
    pub fn add_reviews(&mut self, reviews: &[Reviewed], payers: &Payers, today: i32) -> Vec<Said> {
        let mut newest: BTreeMap<(ListingId, ProfileId), &Reviewed> = BTreeMap::new();
        for reviewed in reviews {
            let cluster = payers.cluster(reviewed.by);
            let known = newest.get(&(reviewed.listing, cluster));
            let is_newer = known.is_none_or(|known| (known.review.at_ms, known.by) < (reviewed.review.at_ms, reviewed.by));
            if is_newer && !payers.excluded.contains(&cluster) {
                newest.insert((reviewed.listing, cluster), reviewed);
            }
        }
        let mut said = Vec::new();
        for ((_, cluster), Reviewed { review, .. }) in newest {
            if let Some(row) = self.rows.get_mut(&cluster) {
                row.grief = row.grief.max(review.grief(today));
            }
            let voice = review.faded_voice(today);
            if voice > 0 {
                said.push(Said { voice, accuracy_rating: review.accuracy_rating });
            }
        }
        said
    }

    /// What the formula reads of all rows and these reviews.
    #[must_use]
    pub fn sums(&self, said: &[Said]) -> Sums {
        let mut sums = Sums::default();
        for row in self.rows.values() {
            sums.add_payer(&row.payer());
        }
        for review in said {
            sums.add_review(*review);
        }
        sums
    }

    /// The sums of the weeks that longevity looks at: those of this window, and `older` ones for the weeks that are no longer
    /// wholly in it.
    #[must_use]
    pub fn remembered_weeks(&self, older: &BTreeMap<i32, i64>, today: i32) -> BTreeMap<i32, i64> {
        let first_whole = week_of(today - DAYS + 1 + 6);
        let this = week_of(today);
        let kept = |week: &i32| *week > this - REMEMBERED_WEEKS && *week <= this;
        let older = older.iter().filter(|(week, _)| **week < first_whole);
        let newer = self.weeks.iter().filter(|(week, sum)| **week >= first_whole && **sum > 0);
        older.chain(newer).filter(|(week, _)| kept(week)).map(|(week, sum)| (*week, *sum)).collect()
    }
}

/// How many of these weeks were active.
#[must_use]
pub fn active_weeks(weeks: &BTreeMap<i32, i64>) -> u32 {
    u32::try_from(weeks.values().filter(|sum| **sum >= ACTIVE_WEEK).count()).unwrap_or(0)
}

impl Row {
    fn add(&mut self, facts: Facts, age: usize, day: i32, today: i32) {
        let is_owed = today - day >= OWED_FROM_DAYS;
        self.kept[age] += facts.kept;
        self.lost[age] += facts.lost + if is_owed { 0 } else { facts.open_half };
        self.owed[age] += if is_owed { facts.open } else { 0 };
        self.bought += facts.bought;
        let grief = match facts.unserved {
            1.. if facts.open > 0 && is_owed => weight(day, today),
            1.. => weight(day, today) / 2,
            _ => 0,
        };
        self.grief = self.grief.max(grief);
    }
}
