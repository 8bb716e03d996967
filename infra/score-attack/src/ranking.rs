//! How well the score orders honest sellers.

use crate::honest::{Traits, payers};
use crate::random::Random;
use crate::seller::{Seller, counts};

/// Sellers of a market.
const SELLERS: usize = 400;
/// Markets that are averaged.
const MARKETS: u64 = 3;

/// Kendall's tau of the score and the true share of good calls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranking {
    /// Over all sellers.
    pub all: f64,
    /// Over those with 100 counted calls or more.
    pub from_100: f64,
    /// Over those with 1,000 counted calls or more.
    pub from_1000: f64,
}

/// What the score promises.
pub const PROMISED: Ranking = Ranking { all: 0.33, from_100: 0.58, from_1000: 0.74 };

impl Ranking {
    /// Whether it is as good as promised.
    #[must_use]
    pub fn keeps_the_promise(&self) -> bool {
        self.all >= PROMISED.all && self.from_100 >= PROMISED.from_100 && self.from_1000 >= PROMISED.from_1000
    }
}

/// Ranks the sellers of three markets in which quality, size, price and age are independent.
#[must_use]
pub fn rank() -> Ranking {
    let mut sums = [0.0; 3];
    for seed in 0..MARKETS {
        let market = market(seed);
        for (sum, from) in sums.iter_mut().zip([0, 100_000, 1_000_000]) {
            let sellers: Vec<&Ranked> = market.iter().filter(|seller| seller.counted >= from).collect();
            *sum += tau(&sellers);
        }
    }
    let [all, from_100, from_1000] = sums.map(|sum| sum / MARKETS as f64);
    Ranking { all, from_100, from_1000 }
}

struct Ranked {
    score: i64,
    quality: f64,
    /// In milli.
    counted: i64,
}

fn market(seed: u64) -> Vec<Ranked> {
    let mut random = Random::of(seed);
    (0..SELLERS)
        .map(|_| {
            let calls = 10_f64.powf(random.between(0.7, 4.0));
            let price = 10_f64.powf(0.5 * random.normal() - 1.0).clamp(0.01, 5.0);
            let traits = Traits {
                fail: 10_f64.powf(random.between(-3.0, -0.6)),
                wrong: 10_f64.powf(random.between(-2.5, -0.5)),
                calls,
                payers: ((calls.powf(0.7) / 1.5 * (0.4 * random.normal()).exp()) as i64).max(1),
                price: (price * 1e6).round() as i64,
                weeks: 2 + random.below(25) as u32,
            };
            let groups = payers(&mut random, &traits);
            let counted = groups.iter().map(|group| (group.ok + group.late) as i64 * counts(traits.price)).sum();
            let quality = (1.0 - traits.fail) * (1.0 - traits.wrong);
            Ranked { score: Seller::of(&groups, traits.weeks).score(), quality, counted }
        })
        .collect()
}

/// Kendall's tau-b: 1 if both orders are the same, 0 if they have nothing to do with each other.
fn tau(sellers: &[&Ranked]) -> f64 {
    let (mut agree, mut by_score, mut by_quality) = (0.0, 0.0_f64, 0.0_f64);
    for (at, one) in sellers.iter().enumerate() {
        for other in &sellers[at + 1..] {
            let score = (one.score - other.score).signum() as f64;
            let quality = if one.quality == other.quality { 0.0 } else { (one.quality - other.quality).signum() };
            agree += score * quality;
            by_score += score.abs();
            by_quality += quality.abs();
        }
    }
    agree / (by_score * by_quality).sqrt().max(1.0)
}
