//! Honest sellers.

use serde_json::Value;

use crate::random::Random;
use crate::seller::{Group, Seller};

/// Honest sellers that the simulator drew: rows of ok, late, owed, paid back, stars, one for each payer.
const EXAMPLES: &str = include_str!("../data/sellers.json");

/// The example of this name.
///
/// # Panics
/// If there is none.
pub(crate) fn example(name: &str) -> Seller {
    let examples: Value = serde_json::from_str(EXAMPLES).unwrap_or_default();
    let rows = examples[name]["rows"].as_array().unwrap_or_else(|| panic!("there is no example {name}"));
    let groups: Vec<Group> = rows
        .iter()
        .map(|row| {
            let number = |i: usize| row[i].as_f64().unwrap_or_default();
            Group { ok: number(0), late: number(1), owed: number(2), paid_back: number(3), stars: number(4) as u8, ..Group::of(1) }
        })
        .collect();
    Seller::of(&groups, examples[name]["weeks"].as_u64().and_then(|weeks| weeks.try_into().ok()).unwrap_or(0))
}

/// What an honest seller is like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traits {
    /// Share of first attempts that fail.
    pub(crate) fail: f64,
    /// Share of responses that are of no use.
    pub(crate) wrong: f64,
    /// Calls in thirteen weeks.
    pub(crate) calls: f64,
    /// Number of payers.
    pub(crate) payers: i64,
    /// In micro-dollars.
    pub(crate) price: i64,
    /// Active weeks.
    pub(crate) weeks: u32,
}

/// The payers of a seller like this. Few of them buy most; four of five failures are delivered by a retry, and most others paid back.
pub(crate) fn payers(random: &mut Random, of: &Traits) -> Vec<Group> {
    let shares: Vec<f64> = (1..=of.payers).map(|rank| (0.5 * random.normal()).exp() / rank as f64).collect();
    let all: f64 = shares.iter().sum();
    let mut groups = Vec::new();
    for share in shares {
        let calls = random.poisson(of.calls * share / all);
        if calls == 0 {
            continue;
        }
        let failing = random.binomial(calls, of.fail);
        let late = random.binomial(failing, 0.8);
        let paid_back = random.binomial(failing - late, 0.7);
        let wrong = random.binomial(calls, of.wrong);
        groups.push(Group {
            price: of.price,
            ok: (calls - failing) as f64,
            late: late as f64,
            owed: (failing - late - paid_back) as f64,
            paid_back: paid_back as f64,
            stars: opinion(random, wrong, calls),
            ..Group::of(1)
        });
    }
    groups
}

/// Most say nothing; the unhappy speak three times as often.
fn opinion(random: &mut Random, wrong: i64, calls: i64) -> u8 {
    let share = wrong as f64 / calls as f64;
    let stars = match share {
        _ if share > 0.5 => 1,
        _ if share > 0.2 => 2,
        _ if share > 0.05 => 3,
        _ if share > 0.0 => 4,
        _ => 5,
    };
    let stars = if random.unit() < 0.1 { stars - 1 } else { stars };
    let speaks = random.unit() < if wrong > 0 { 0.25 } else { 0.08 };
    if speaks { stars.max(1) } else { 0 }
}
