//! What the formula promises, whatever a cheat does, and what was measured.

use crochet_domain::money::Micros;
use crochet_domain::score::{UNIT_FEE, ceiling};

use crate::honest::{Traits, payers};
use crate::random::Random;
use crate::seller::{Group, Seller, TEN_CENTS, fee};

/// Random histories against the ceiling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceiling {
    /// How many were played.
    pub histories: u32,
    /// How many scored more than the ceiling of their fees: none.
    pub above: u32,
    /// How near the nearest came, in points.
    pub nearest: i64,
}

/// Plays random histories of 1 to 1,000 wallets at 0.0001 to 100 USD.
#[must_use]
pub fn play_ceiling(histories: u32) -> Ceiling {
    let mut random = Random::of(3);
    let mut found = Ceiling { histories, above: 0, nearest: 1_000 };
    for _ in 0..histories {
        let wallets = [1, 2, 5, 20, 100, 1_000][random.below(6) as usize];
        let price = 10_f64.powf(random.between(2.0, 8.0)).round() as i64;
        let weeks = 1 + random.below(26) as u32;
        let (calls, evenness) = (10_f64.powf(random.between(0.0, 4.5)), 10_f64.powf(random.between(-1.5, 2.0)));
        let shares: Vec<f64> = (0..wallets).map(|_| random.gamma(evenness)).collect();
        let all: f64 = shares.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let groups: Vec<Group> = shares
            .iter()
            .map(|share| Group {
                price,
                ok: (calls * share / all).floor(),
                late: random.poisson(0.1) as f64,
                stars: random.below(6) as u8,
                ..Group::of(1)
            })
            .collect();
        let most = ceiling(Micros(groups.iter().map(Group::fees).sum()), UNIT_FEE, weeks);
        let below = i64::from(most) - Seller::of(&groups, weeks).score();
        found.above += u32::from(below < 0);
        found.nearest = found.nearest.min(below);
    }
    found
}

/// Own wallets against a flawless honest seller with the same fees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parity {
    /// How many plans were played.
    pub plans: u32,
    /// The most by which one beat the honest seller, in points: 0.
    pub lead: i64,
    /// The most that reviews by own wallets added, in points: 0.
    pub added_by_reviews: i64,
}

/// Plays random plans of a cheat with 1 to 3,000 wallets.
#[must_use]
pub fn play_parity(plans: u32) -> Parity {
    let mut random = Random::of(4);
    let mut found = Parity { plans, lead: i64::MIN, added_by_reviews: i64::MIN };
    for _ in 0..plans {
        let wallets = 10_f64.powf(random.between(0.0, 3.5)) as i64;
        let price = 10_f64.powf(random.between(2.0, 8.0)).round() as i64;
        let each = 10_f64.powf(random.between(0.0, 3.0)).floor();
        let weeks = 1 + random.below(26) as u32;
        let silent = Group { price, ok: each, ..Group::of(wallets) };
        let praise = Group { stars: 1 + random.below(5) as u8, ..silent };
        let [cheat, loud] = [silent, praise].map(|group| Seller::of(&[group], weeks).score());
        // The honest seller's customers buy five calls of 10 cents each, and one the rest.
        let calls = wallets * each as i64 * fee(price) / fee(TEN_CENTS);
        let customers = [
            Group { ok: 5.0, ..Group::of(calls / 5) },
            Group { ok: (calls % 5) as f64, ..Group::of(1) },
            // What is left of the fees is less than a call.
            Group { ok: 1.0, price: (wallets * each as i64 * fee(price) % fee(TEN_CENTS)) * 10_000 / 490, ..Group::of(1) },
        ];
        let honest = Seller::of(&customers, weeks).score();
        found.lead = found.lead.max(cheat.max(loud) - honest);
        found.added_by_reviews = found.added_by_reviews.max(loud - cheat);
    }
    found
}

/// What others can take from a seller of 400 or more, and what 50 own calls add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Floor {
    /// How many sellers were tried.
    pub sellers: u32,
    /// The most that 50 own calls at the listing's price added, in points.
    pub added_by_50_calls: i64,
    /// The most that one payer took with 5 good calls, 5 lost ones and one star.
    pub taken_by_one_payer: i64,
    /// The most that strangers' failures took that were paid back.
    pub taken_by_strangers: i64,
    /// The most that payments took which nobody presented: 0.
    pub taken_by_unpresented: i64,
    /// The fewest paid calls with one star that took 100 points.
    pub fewest_calls: i64,
}

/// Tries random honest sellers.
#[must_use]
pub fn play_floor(sellers: u32) -> Floor {
    let mut random = Random::of(5);
    let mut found = Floor {
        sellers: 0,
        added_by_50_calls: 0,
        taken_by_one_payer: 0,
        taken_by_strangers: 0,
        taken_by_unpresented: 0,
        fewest_calls: i64::MAX,
    };
    for _ in 0..sellers {
        let calls = 10_f64.powf(random.between(0.0, 4.0));
        let traits = Traits {
            fail: 10_f64.powf(random.between(-3.0, -0.5)),
            wrong: 10_f64.powf(random.between(-3.0, -0.3)),
            calls,
            payers: 1 + calls.powf(random.between(0.4, 0.9)) as i64,
            price: TEN_CENTS,
            weeks: 1 + random.below(26) as u32,
        };
        let seller = Seller::of(&payers(&mut random, &traits), traits.weeks);
        let before = seller.score();
        if before < 400 {
            continue;
        }
        found.sellers += 1;
        let taken = |group: Group| before - seller.and(&[group]).score();
        for wallets in [1, 10, 50] {
            let own = Group { ok: 50.0 / wallets as f64, ..Group::of(wallets) };
            found.added_by_50_calls = found.added_by_50_calls.max(-taken(own));
        }
        let one = Group { ok: 5.0, paid_back: 10.0, stars: 1, ..Group::of(1) };
        found.taken_by_one_payer = found.taken_by_one_payer.max(taken(one));
        found.taken_by_strangers = found.taken_by_strangers.max(taken(Group { paid_back: 1e9, ..Group::of(1) }));
        found.taken_by_unpresented = found.taken_by_unpresented.max(taken(Group::of(1_000)));
        let complaints = (1..30).find(|calls| taken(Group { ok: 1.0, stars: 1, ..Group::of(*calls) }) >= 100);
        found.fewest_calls = found.fewest_calls.min(complaints.unwrap_or(i64::MAX));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_history_scores_more_than_the_ceiling_of_its_fees() {
        let found = play_ceiling(20_000);
        println!("ceiling: {} histories, {} above it; the nearest is {} points below", found.histories, found.above, found.nearest);
        assert_eq!(found.above, 0);
    }

    #[test]
    fn own_wallets_never_do_better_than_honest_customers() {
        let found = play_parity(20_000);
        println!("parity: {} plans, lead {}, reviews add {}", found.plans, found.lead, found.added_by_reviews);
        assert!(found.lead <= 0 && found.added_by_reviews <= 0, "{found:?}");
    }

    #[test]
    fn what_others_can_take_has_a_limit() {
        let found = play_floor(3_000);
        println!("floor: {found:?}");
        assert!(found.sellers > 2_000 && found.added_by_50_calls < 100 && found.taken_by_one_payer <= 99);
        assert!(found.taken_by_strangers <= 80 && found.taken_by_unpresented == 0 && found.fewest_calls >= 6);
    }
}
