//! Scores: the current one of each seller, the last one of each day, and what the current one was computed from.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::item::{n, record};
use super::keys::{self, DUE_SHARDS, Key, PK, SK};
use super::read::Range;
use super::write::{Condition, Put};
use super::{Store, StoreError};
use crochet_domain::call::CallKey;
use crochet_domain::ids::ProfileId;
use crochet_domain::money::Micros;
use crochet_domain::profile::Profile;
use crochet_domain::score::fade::day_start_ms;
use crochet_domain::timestamp::from_unix_ms;
use crochet_domain::unknown::Unknown;

/// Days that the score of a day is kept: two years.
const HISTORY_KEPT_DAYS: i32 = 730;
/// Time that what a score was computed from is kept: three days. A score is computed at least once a day.
const INPUTS_KEPT_MS: i64 = 3 * 24 * 3_600_000;

/// Calls of a page of a seller's history.
const SOLD_PAGE: i32 = 1_000;

/// A seller's score, and the sums that it was computed from. Sums are in thousandths of a counted call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreRecord {
    /// The seller.
    pub seller: ProfileId,
    /// The score.
    pub value: u16,
    /// Reliability, accuracy, volume, longevity, reputation.
    pub parts: [u16; 5],
    /// Good calls.
    pub volume: i64,
    /// Bad calls.
    pub bad: i64,
    /// Unhappy voices.
    pub unhappy: i64,
    /// All voices.
    pub voices: i64,
    /// Customers.
    pub heads: i64,
    /// Customers that were let down.
    pub grief: i64,
    /// Number of payers that count.
    pub payers: u32,
    /// Number of reviews that count.
    pub reviews: u32,
    /// How many weeks were active.
    pub active_weeks: u32,
    /// What was delivered in each of the last 52 calendar weeks.
    pub weeks: Vec<(i32, i64)>,
    /// The fees received in 13 weeks.
    pub fees: Micros,
    /// The most that these fees allow.
    pub ceiling: u16,
    /// The fee of a call that counts in full.
    pub unit_fee: Micros,
    /// Whether a refund was overdue.
    pub refund_overdue: bool,
    /// The day as of which it was computed.
    pub day: i32,
    /// When it was computed (Unix milliseconds).
    pub counted_ms: i64,
    /// The day on which the counts were last compared with the calls.
    pub compared_day: i32,
    /// Names what it was computed from.
    pub inputs: String,
    /// Number of parts that this is stored in.
    pub input_parts: usize,
    /// From which payers' public names are made, so that no two sellers name a payer alike.
    pub salt: String,
    /// The version, incremented by every change.
    pub version: u64,
    /// What the next version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The last score of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayScore {
    /// The day.
    pub day: i32,
    /// The score.
    pub value: u16,
    /// Reliability, accuracy, volume, longevity, reputation.
    pub parts: [u16; 5],
}

#[derive(Debug, Serialize, Deserialize)]
struct Cursor {
    position_ms: i64,
}

impl Store {
    /// A seller's score; `None` if nothing was ever counted.
    pub async fn score(&self, seller: ProfileId) -> Result<Option<ScoreRecord>, StoreError> {
        self.table.get(&keys::score(seller)).await
    }

    /// Writes a score's next version, what it was computed from, and the score of the day.
    ///
    /// The inputs are written first, under a name of their own: if the process dies, nobody misses them.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another run was first.
    pub async fn put_score(&self, score: &ScoreRecord, inputs: &[Vec<u8>]) -> Result<(), StoreError> {
        for (part, rows) in inputs.iter().enumerate() {
            let put = Put::new(&keys::score_inputs(score.seller, &score.inputs, part), "score_inputs", &json!({}))?;
            let rows = AttributeValue::B(Blob::new(rows.clone()));
            self.table.put(put.with("rows", rows).expiring((score.counted_ms + INPUTS_KEPT_MS) / 1_000)).await?;
        }
        let condition = if score.version == 1 { Condition::absent() } else { Condition::equals("version", n(score.version - 1)) };
        let now = Put::new(&keys::score(score.seller), "score", score)?
            .indexed(Some(keys::score_compared(score.seller, score.compared_day)))
            .when(condition);
        let of_day = DayScore { day: score.day, value: score.value, parts: score.parts };
        let day = Put::new(&keys::score_of_day(score.seller, score.day), "day_score", &of_day)?
            .expiring(day_start_ms(score.day + HISTORY_KEPT_DAYS) / 1_000);
        let operations = vec![now.into_transact_item(&self.table)?, day.into_transact_item(&self.table)?];
        self.table.transact(operations).await.map_err(StoreError::from)
    }

    /// What a score was computed from, as it was given to [`Store::put_score`]; `None` if it is no longer known.
    pub async fn score_inputs(&self, score: &ScoreRecord) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
        let wanted: Vec<Key> = (0..score.input_parts).map(|part| keys::score_inputs(score.seller, &score.inputs, part)).collect();
        let mut rows = Vec::with_capacity(wanted.len());
        for batch in wanted.chunks(100) {
            let mut found = self.table.get_all(batch).await?;
            for key in batch {
                let Some(AttributeValue::B(part)) = found.take_item(key).and_then(|mut item| item.remove("rows")) else {
                    return Ok(None);
                };
                rows.push(part.into_inner());
            }
        }
        Ok(Some(rows))
    }

    /// The last scores of the days up to `until`, included, newest first.
    pub async fn score_history(&self, seller: ProfileId, until: i32, limit: i32) -> Result<Vec<DayScore>, StoreError> {
        let range = keys::scores_until(seller, until);
        let items = self.table.query(&Range { newest_first: true, ..Range::of(&range, limit) }).await?;
        items.into_iter().map(record).collect()
    }

    /// Sellers whose counts were last compared with the calls before `day`, at most `limit` of each shard.
    pub async fn scores_to_compare(&self, day: i32, limit: i32) -> Result<Vec<ProfileId>, StoreError> {
        let to = keys::compared_before(day);
        let mut sellers = Vec::new();
        for shard in 0..DUE_SHARDS {
            let partition = keys::scores_partition(shard);
            let range =
                Range { index: Some(keys::GSI3), partition: &partition, from: None, to: Some(&to), newest_first: false, limit };
            for item in self.table.query(&range).await? {
                let text = |name: &str| item.get(name)?.as_s().ok().cloned();
                let key = text(PK).zip(text(SK)).map(|(pk, sk)| Key { pk, sk });
                sellers.extend(key.as_ref().and_then(keys::parse_score));
            }
        }
        Ok(sellers)
    }

    /// Up to where the log of ended calls was read for scores (Unix milliseconds); 0 if it never was.
    pub async fn score_position(&self) -> Result<i64, StoreError> {
        let cursor: Option<Cursor> = self.table.get(&keys::score_cursor()).await?;
        Ok(cursor.map_or(0, |cursor| cursor.position_ms))
    }

    /// Records up to where the log was read. A run in parallel may record an earlier time; then more is read again.
    pub async fn put_score_position(&self, position_ms: i64) -> Result<(), StoreError> {
        Ok(self.table.put(Put::new(&keys::score_cursor(), "score_cursor", &Cursor { position_ms })?).await?)
    }

    /// The profiles with these ids that exist.
    pub async fn profiles(&self, ids: impl Iterator<Item = ProfileId>) -> Result<Vec<Profile>, StoreError> {
        let wanted: Vec<Key> = ids.map(keys::profile).collect();
        let mut profiles = Vec::with_capacity(wanted.len());
        for batch in wanted.chunks(100) {
            let mut found = self.table.get_all(batch).await?;
            for key in batch {
                profiles.extend(found.take::<Profile>(key)?);
            }
        }
        Ok(profiles)
    }

    /// A page of the calls of a seller that were created on this day, and where the next page begins; `None` on the last one. `from` is
    /// that of the page before.
    pub async fn calls_sold_on(
        &self,
        seller: ProfileId,
        day: i32,
        from: Option<&str>,
    ) -> Result<(Vec<CallKey>, Option<String>), StoreError> {
        let partition = keys::seller_history_partition(seller, from_unix_ms(day_start_ms(day)));
        let (_, position) = keys::index_attributes(keys::GSI2);
        let range = Range { index: Some(keys::GSI2), partition: &partition, from, to: None, newest_first: false, limit: SOLD_PAGE };
        let items = self.table.query(&range).await?;
        let text = |name: &str, item: &super::item::Item| item.get(name)?.as_s().ok().cloned();
        let is_full = items.len() == usize::try_from(SOLD_PAGE).unwrap_or(usize::MAX);
        let last = items.last().filter(|_| is_full).and_then(|item| text(&position, item));
        let calls = items.iter().filter_map(|item| keys::call_of_partition(&text(PK, item)?)).collect();
        Ok((calls, last.map(|last| keys::just_after(&last))))
    }
}
