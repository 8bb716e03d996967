//! Spoiling the score of another seller.

use crate::figures::Figures;
use crate::honest::example;
use crate::plan::{MANY, wallets};
use crate::seller::Group;

/// Honest sellers at 10 cents: 126, 767 and 3,926 counted calls.
pub(crate) const VICTIMS: [&str; 3] = ["small", "middle", "large"];
/// How much the victim must lose.
const LOSS: i64 = 100;

/// A way to spoil a score.
pub(crate) struct Strategy {
    pub(crate) name: &'static str,
    /// What each wallet does, by the calls of each.
    made: fn(i64, f64) -> Group,
    /// Whether the price is paid, and not paid back.
    costs_the_price: bool,
    wallets: &'static [i64],
}

/// The ways, in the order of the table.
pub(crate) const STRATEGIES: [Strategy; 6] = [
    Strategy {
        name: "one star after paid calls",
        made: |wallets, each| Group { ok: each, stars: 1, ..Group::of(wallets) },
        costs_the_price: true,
        wallets: &MANY,
    },
    Strategy {
        name: "a good call for each failing one, and one star",
        made: |wallets, each| Group { ok: each, paid_back: each, stars: 1, ..Group::of(wallets) },
        costs_the_price: true,
        wallets: &MANY,
    },
    Strategy {
        name: "by one wallet",
        made: |wallets, each| Group { ok: each, stars: 1, ..Group::of(wallets) },
        costs_the_price: true,
        wallets: &[1],
    },
    Strategy {
        name: "failing bodies, paid back",
        made: |wallets, each| Group { paid_back: each, ..Group::of(wallets) },
        costs_the_price: false,
        wallets: &MANY,
    },
    Strategy {
        name: "failing bodies, not paid back",
        made: |wallets, each| Group { owed: each, ..Group::of(wallets) },
        costs_the_price: true,
        wallets: &MANY,
    },
    Strategy { name: "paid and never presented", made: |wallets, _| Group::of(wallets), costs_the_price: true, wallets: &MANY },
];

/// Numbers of calls that are tried: 80 from 1 to 20,000, evenly on a logarithmic scale.
fn numbers() -> Vec<i64> {
    let mut numbers: Vec<i64> = (0..80).map(|i| (20_000_f64.powf(f64::from(i) / 79.0)).round() as i64).collect();
    numbers.dedup();
    numbers
}

pub(crate) fn play(figures: &mut Figures) {
    for victim in VICTIMS {
        let seller = example(victim);
        let before = seller.score();
        figures.put(format!("sabotage/{victim}/score"), Some(before as f64));
        for strategy in &STRATEGIES {
            let (mut best, mut most): (Option<(f64, i64)>, i64) = (None, 0);
            for number in strategy.wallets {
                for calls in numbers() {
                    let group = (strategy.made)(*number, calls as f64 / *number as f64);
                    let loss = before - seller.and(&[group]).score();
                    most = most.max(loss);
                    if loss >= LOSS {
                        let price = if strategy.costs_the_price { calls as f64 * 0.1 } else { 0.0 };
                        let cost = price + wallets(*number);
                        best = best.filter(|best| best.0 <= cost).or(Some((cost, calls)));
                        break;
                    }
                }
            }
            let name = format!("sabotage/{victim}/{}", strategy.name);
            figures.put(format!("{name}/cost"), best.map(|best| best.0));
            match best {
                Some((_, calls)) => figures.put(format!("{name}/calls"), Some(calls as f64)),
                None => figures.put(format!("{name}/most"), Some(most as f64)),
            }
        }
    }
}

/// The victim's score after this much was spent on the strategy, in USD; the best number of wallets.
pub(crate) fn left_after(victim: &str, strategy: &Strategy, usd: f64) -> i64 {
    let seller = example(victim);
    let left = |number: i64| {
        let calls = if strategy.costs_the_price { (usd - wallets(number)) / 0.1 } else { 20_000.0 };
        let affordable = calls > 0.0 && wallets(number) <= usd;
        affordable.then(|| seller.and(&[(strategy.made)(number, calls / number as f64)]).score())
    };
    strategy.wallets.iter().filter_map(|number| left(*number)).min().unwrap_or(seller.score())
}
