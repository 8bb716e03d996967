//! Buying a score: calls from own wallets.

use crate::figures::Figures;
use crate::honest::example;
use crate::plan::{Cheapest, MANY, Plan, call_cost, cheapest, wallets};
use crate::seller::TEN_CENTS;

/// The prices of one cent to 10 USD, in micro-dollars.
const PRICES: [i64; 5] = [10_000, 100_000, 200_000, 1_000_000, 10_000_000];
/// The prices of the table by price: in micro-dollars, and as they are written.
pub(crate) const BY_PRICE: [(i64, &str); 6] =
    [(10_000, "0.01"), (50_000, "0.05"), (100_000, "0.1"), (250_000, "0.25"), (1_000_000, "1"), (10_000_000, "10")];
/// Numbers of wallets in that table.
const WALLETS: [i64; 10] = [1, 3, 6, 11, 20, 50, 100, 300, 1_000, 3_000];
/// Strategies, in the order of the table.
pub(crate) const STRATEGIES: [&str; 8] = [
    "own wallets",
    "without reviews",
    "one wallet",
    "1,000 wallets",
    "calls at 0.0001 USD",
    "few dear calls",
    "slow burn, 26 weeks",
    "refunds to oneself, or fees not received",
];
/// Calls above which a plan is given up.
const MOST_CALLS: i64 = 200_000;
/// The same in the table by price.
const MOST_CALLS_BY_PRICE: i64 = 3_000_000;

fn each(many: &[i64], prices: &[i64]) -> Vec<Plan> {
    many.iter().flat_map(|wallets| prices.iter().map(|price| Plan::of(*wallets, *price))).collect()
}

fn plans(strategy: &str) -> Vec<Plan> {
    let ten_cents = || each(&MANY, &[TEN_CENTS]);
    match strategy {
        "own wallets" => each(&MANY, &PRICES),
        "one wallet" => each(&[1], &PRICES),
        "1,000 wallets" => each(&[1_000], &PRICES),
        "calls at 0.0001 USD" => each(&[1, 100], &[100]),
        "few dear calls" => each(&[1, 10, 100, 1_000], &[10_000_000, 100_000_000]),
        "slow burn, 26 weeks" => ten_cents().into_iter().map(|plan| Plan { weeks: 26, ..plan }).collect(),
        "without reviews" => ten_cents().into_iter().map(|plan| Plan { stars: 0, ..plan }).collect(),
        _ => ten_cents().into_iter().map(|plan| Plan { fees_received: false, ..plan }).collect(),
    }
}

/// The cheapest way to `goal` at this price, in one week.
pub(crate) fn at_price(price: i64, goal: i64) -> Option<Cheapest> {
    cheapest(goal, &each(&WALLETS, &[price]), MOST_CALLS_BY_PRICE, Plan::washed, Plan::cost)
}

/// The best score of this many own calls at this price.
pub(crate) fn best_score(price: i64, calls: i64) -> i64 {
    each(&WALLETS, &[price]).iter().map(|plan| plan.washed(calls).score()).max().unwrap_or(0)
}

pub(crate) fn play(figures: &mut Figures) {
    for strategy in STRATEGIES {
        for goal in [500, 700, 800] {
            let found = cheapest(goal, &plans(strategy), MOST_CALLS, Plan::washed, Plan::cost);
            figures.put(format!("inflation/{strategy}/{goal}"), found.map(|found| found.cost));
        }
    }
    // Wallets that twenty sellers share cost each of them a twentieth.
    let shared = |plan: &Plan, calls: i64| calls as f64 * call_cost(plan.price) + wallets(plan.wallets) / 20.0;
    let ring = cheapest(500, &each(&MANY, &[TEN_CENTS]), MOST_CALLS, Plan::washed, shared);
    figures.put("inflation/ring of 20 sellers/500".into(), ring.map(|found| found.cost));
    for (price, name) in BY_PRICE {
        for goal in [500, 700, 800, 900] {
            let found = at_price(price, goal);
            figures.put(format!("price/{name}/{goal}"), found.map(|found| found.cost));
            if goal == 500 {
                figures.put(format!("price/{name}/calls to 500"), found.map(|found| found.calls as f64));
            }
        }
        figures.put(format!("price/{name}/score after 50 calls"), Some(best_score(price, 50) as f64));
    }
    for name in ["20 % failures", "30 % nonsense"] {
        let seller = example(name);
        figures.put(format!("hide/{name}/score"), Some(seller.score() as f64));
        let beside = |plan: &Plan, calls: i64| plan.beside(&seller, calls);
        let found = cheapest(700, &each(&MANY, &[TEN_CENTS]), MOST_CALLS_BY_PRICE, beside, Plan::cost);
        figures.put(format!("hide/{name}/700"), found.map(|found| found.cost));
    }
}

/// What own wallets reach for this much, in USD, at 10 cents a call in one week: the best number of wallets.
pub(crate) fn reached_for(usd: f64) -> i64 {
    let calls = |number: i64| ((usd - wallets(number)) / call_cost(TEN_CENTS)).floor() as i64;
    WALLETS
        .iter()
        .filter(|number| calls(**number) > 0)
        .map(|number| Plan::of(*number, TEN_CENTS).washed(calls(*number)).score())
        .max()
        .unwrap_or(400)
}
