//! The JSON shape of a score.

use std::collections::BTreeMap;

use crochet_domain::ids::ProfileId;
use crochet_domain::money::Micros;
use crochet_domain::profile::{STARTING_SCORE, VERIFIED_SCORE, tier};
use crochet_domain::score::FORMULA_VERSION;
use crochet_domain::score::formula::WEIGHTS;
use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::score::ScoreRecord;

/// The names of the components, in the order of their weights.
const NAMES: [&str; 5] = ["reliability", "accuracy", "volume", "longevity", "reputation"];

/// An agent's score as a seller, with everything that it is made of.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScoreView {
    /// The agent.
    pub agent_id: String,
    /// The score, 0 to 1000.
    pub value: u16,
    /// `Low`, `Moderate`, `Trusted`, `Elite` or `Exceptional`.
    pub tier: &'static str,
    /// Whether the score is 800 or more.
    pub is_verified: bool,
    /// The five components. The score is their weighted mean, but never more than 300 above the weaker of reliability and accuracy.
    pub components: Vec<Component>,
    /// Whether a refund is overdue. Then the score is 200 at most.
    pub refund_overdue: bool,
    /// The most that any seller has with these fees and active weeks, whatever its wallets, prices and reviews are.
    pub ceiling: u16,
    /// The fees received for its calls in 13 weeks, in micro-dollars.
    pub fees_received_13w: i64,
    /// The fee, in micro-dollars, from which a call counts in full.
    pub unit_fee_micros: i64,
    /// Version of the formula.
    pub formula_version: u32,
    /// When it was counted; null if nothing ever was.
    pub updated_at: Option<String>,
}

/// A component of a score.
#[derive(Debug, Serialize, ToSchema)]
pub struct Component {
    /// `reliability`, `accuracy`, `volume`, `longevity` or `reputation`.
    pub name: &'static str,
    /// What it weighs, in percent.
    pub weight: u16,
    /// Its value, 0 to 1000.
    pub value: u16,
    /// What it is computed from. Names that end in `_milli` are in thousandths of a counted call, voice or customer.
    pub inputs: BTreeMap<&'static str, i64>,
    /// How much it is based on: counted calls, reviews, counted calls, weeks, payers.
    pub sample_size: i64,
}

impl ScoreView {
    /// The view of a score; of the starting score if nothing was ever counted.
    #[must_use]
    pub fn of(agent: ProfileId, record: Option<&ScoreRecord>, unit_fee: Micros) -> Self {
        let value = record.map_or(STARTING_SCORE, |record| record.value);
        Self {
            agent_id: agent.to_string(),
            value,
            tier: tier(value),
            is_verified: value >= VERIFIED_SCORE,
            components: components(record),
            refund_overdue: record.is_some_and(|record| record.refund_overdue),
            ceiling: record.map_or(STARTING_SCORE, |record| record.ceiling),
            fees_received_13w: record.map_or(0, |record| record.fees.0),
            unit_fee_micros: record.map_or(unit_fee, |record| record.unit_fee).0,
            formula_version: FORMULA_VERSION,
            updated_at: record.map(|record| rfc3339(from_unix_ms(record.counted_ms))),
        }
    }
}

fn components(record: Option<&ScoreRecord>) -> Vec<Component> {
    let sum = |of: fn(&ScoreRecord) -> i64| record.map_or(0, of);
    let (volume, bad) = (sum(|r| r.volume), sum(|r| r.bad));
    let weeks = sum(|r| r.active_weeks.into());
    let parts = record.map_or([STARTING_SCORE; 5], |record| record.parts);
    let inputs = [
        vec![("good_calls_milli", volume), ("bad_calls_milli", bad)],
        vec![("unhappy_voices_milli", sum(|r| r.unhappy)), ("voices_milli", sum(|r| r.voices))],
        vec![("good_calls_milli", volume)],
        vec![("active_weeks", weeks)],
        vec![("customers_milli", sum(|r| r.heads)), ("let_down_milli", sum(|r| r.grief))],
    ];
    let samples = [(volume + bad) / 1_000, sum(|r| r.reviews.into()), volume / 1_000, weeks, sum(|r| r.payers.into())];
    inputs
        .into_iter()
        .enumerate()
        .map(|(at, inputs)| Component {
            name: NAMES[at],
            weight: WEIGHTS[at],
            value: parts[at],
            inputs: inputs.into_iter().collect(),
            sample_size: samples[at],
        })
        .collect()
}
