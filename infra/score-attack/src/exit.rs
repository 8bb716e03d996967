//! A bought score, and then strangers are cheated until it is below 700. Each of them calls once.

use crate::figures::Figures;
use crate::plan::{Plan, cheapest};
use crate::seller::{Group, TEN_CENTS};

/// Scores that are bought.
pub(crate) const BOUGHT: [i64; 3] = [720, 800, 900];
/// How strangers are cheated: the name, and the share of them that complain.
pub(crate) const CHEATS: [(&str, f64); 4] = [
    ("nonsense, 25 % complain", 0.25),
    ("nonsense, 5 % complain", 0.05),
    ("25 % complain, those paid back", 0.25),
    ("never delivered", 0.0),
];
const MOST_CALLS: i64 = 3_000_000;
const BELOW: i64 = 700;

fn victims(cheat: &str, share: f64, victims: i64) -> [Group; 2] {
    let loud = (victims as f64 * share).ceil() as i64;
    let silent = Group { ok: 1.0, ..Group::of(victims - loud) };
    match cheat {
        "never delivered" => [Group { owed: 1.0, ..Group::of(victims) }, Group::of(0)],
        // A review of a call that was paid back weighs half.
        "25 % complain, those paid back" => [silent, Group { stars: 1, voice: Some(500), ..Group::of(loud) }],
        _ => [silent, Group { ok: 1.0, stars: 1, ..Group::of(loud) }],
    }
}

pub(crate) fn play(figures: &mut Figures) {
    for bought in BOUGHT {
        let plans = [30, 100, 300, 1_000, 3_000].map(|wallets| Plan::of(wallets, TEN_CENTS));
        let Some(found) = cheapest(bought, &plans, MOST_CALLS, Plan::washed, Plan::cost) else { continue };
        let seller = Plan::of(found.wallets, TEN_CENTS).washed(found.calls);
        figures.put(format!("exit/{bought}/paid"), Some(found.cost));
        for (cheat, share) in CHEATS {
            let (mut number, mut score) = (1_i64, 999);
            while number < 1_000_000 && score >= BELOW {
                number = (number as f64 * 1.05) as i64 + 1;
                score = seller.and(&victims(cheat, share, number)).score();
            }
            figures.put(format!("exit/{bought}/{cheat}/victims"), Some(number as f64));
        }
    }
}
