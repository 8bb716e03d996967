//! Plans of a cheat, and the search for the cheapest.

use crochet_domain::score::fade::WEIGHTS;

use crate::seller::{Group, Seller, counts, fee};

/// Numbers of wallets that are tried.
pub(crate) const MANY: [i64; 7] = [1, 3, 10, 30, 100, 300, 1_000];
/// What a wallet costs, in USD: about a second of one core for the proof of work, and the transfer that funds it.
const WALLET: f64 = 0.003;
/// What the provider takes for a call below its minimum of one cent, in USD.
const BELOW_A_CENT: f64 = 0.02;

/// Calls from own wallets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Number of wallets. The calls are spread evenly.
    pub(crate) wallets: i64,
    /// Price of each call, in micro-dollars.
    pub(crate) price: i64,
    /// Weeks over which the calls are spread evenly.
    pub(crate) weeks: u32,
    /// Stars of each wallet's review; 0 for none.
    pub(crate) stars: u8,
    /// Whether the fees are received.
    pub(crate) fees_received: bool,
}

impl Plan {
    /// Calls of one week, with praise.
    pub(crate) fn of(wallets: i64, price: i64) -> Self {
        Self { wallets, price, weeks: 1, stars: 5, fees_received: true }
    }

    fn group(&self, calls: i64) -> Group {
        let weeks = self.weeks as usize;
        let fade = WEIGHTS[..weeks.min(WEIGHTS.len())].iter().sum::<i64>() as f64 / 1_000.0 / weeks as f64;
        Group {
            price: self.price,
            fees_received: self.fees_received,
            ok: calls as f64 / self.wallets as f64 * fade,
            stars: self.stars,
            ..Group::of(self.wallets)
        }
    }

    /// A seller that had nothing and played the plan.
    pub(crate) fn washed(&self, calls: i64) -> Seller {
        let a_week = calls as f64 / f64::from(self.weeks) * counts(self.price) as f64;
        let weeks = if a_week >= 5_000.0 { self.weeks } else { 0 };
        Seller::of(&[self.group(calls)], weeks)
    }

    /// A seller that played the plan beside its business.
    pub(crate) fn beside(&self, seller: &Seller, calls: i64) -> Seller {
        seller.and(&[self.group(calls)])
    }

    /// What it costs, in USD: fees, provider and wallets. The price comes back to a seller that buys from itself.
    pub(crate) fn cost(&self, calls: i64) -> f64 {
        let paid = if self.fees_received { calls as f64 * call_cost(self.price) } else { 0.0 };
        paid + wallets(self.wallets)
    }
}

/// What a seller loses of a call that it buys from itself, in USD.
pub(crate) fn call_cost(price: i64) -> f64 {
    fee(price) as f64 / 1e6 + if price >= 10_000 { 0.0 } else { BELOW_A_CENT }
}

/// What wallets cost, in USD.
pub(crate) fn wallets(number: i64) -> f64 {
    number as f64 * WALLET
}

/// A plan that reaches its goal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cheapest {
    /// In USD.
    pub(crate) cost: f64,
    /// Number of calls.
    pub(crate) calls: i64,
    /// The wallets of the plan.
    pub(crate) wallets: i64,
}

/// The cheapest of these plans that reaches `goal` with fewer than `most` calls; within half a percent.
pub(crate) fn cheapest(
    goal: i64,
    plans: &[Plan],
    most: i64,
    played: impl Fn(&Plan, i64) -> Seller,
    cost: impl Fn(&Plan, i64) -> f64,
) -> Option<Cheapest> {
    let mut best: Option<Cheapest> = None;
    for plan in plans {
        let reaches = |calls: i64| played(plan, calls).score() >= goal;
        let (mut low, mut high) = (0, 1);
        while high < most && !reaches(high) {
            (low, high) = (high, high * 2);
        }
        while high < most && high - low > (high / 200).max(1) {
            let middle = i64::midpoint(low, high);
            (low, high) = if reaches(middle) { (low, middle) } else { (middle, high) };
        }
        let found = Cheapest { cost: cost(plan, high), calls: high, wallets: plan.wallets };
        if high < most && best.is_none_or(|best| found.cost < best.cost) {
            best = Some(found);
        }
    }
    best
}
