//! A seller as the formula sees it: groups of payers that are alike.

use crochet_domain::money::{FeeRate, Micros, PriceSplit};
use crochet_domain::score::review::WHOLE_VOICE;
use crochet_domain::score::{Payer, Said, Score, Sums, UNIT_FEE, milli, score};

/// The usual price, in micro-dollars: 10 cents.
pub(crate) const TEN_CENTS: i64 = 100_000;

/// The fee of a call at this price, in micro-dollars, at 4.9 %.
pub(crate) fn fee(price: i64) -> i64 {
    FeeRate::from_bps(490).map_or(0, |rate| PriceSplit::of(Micros(price), rate).fee.0)
}

/// What a call at this price counts, in milli.
pub(crate) fn counts(price: i64) -> i64 {
    milli(Micros(fee(price)), UNIT_FEE)
}

/// Payers that are alike. Calls are faded, and may be fractions: an average spread over wallets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    /// How many payers.
    pub(crate) payers: i64,
    /// Price of each call, in micro-dollars.
    pub(crate) price: i64,
    /// Whether the fees were received.
    pub(crate) fees_received: bool,
    /// Calls of each that were delivered at once.
    pub(crate) ok: f64,
    /// Calls that were delivered after a failure.
    pub(crate) late: f64,
    /// Calls that were not delivered and not paid back.
    pub(crate) owed: f64,
    /// Calls that were not delivered and paid back.
    pub(crate) paid_back: f64,
    /// Stars of each payer's review; 0 if it wrote none.
    pub(crate) stars: u8,
    /// Voice of these reviews, if it does not follow from the calls.
    pub(crate) voice: Option<i64>,
}

impl Group {
    /// Payers without calls.
    pub(crate) fn of(payers: i64) -> Self {
        Self { payers, price: TEN_CENTS, fees_received: true, ok: 0.0, late: 0.0, owed: 0.0, paid_back: 0.0, stars: 0, voice: None }
    }

    fn payer(&self) -> Payer {
        let each = if self.fees_received { counts(self.price) } else { 0 };
        let weighed = |calls: f64| floor(calls * each as f64);
        let complains = f64::from(u8::from((1..=2).contains(&self.stars)));
        Payer {
            kept: weighed(self.ok + self.late),
            lost: weighed((self.late + self.paid_back) / 2.0),
            owed: weighed(self.owed),
            grief: floor(1_000.0 * (self.owed + self.paid_back / 2.0).min(1.0).max(complains)),
        }
    }

    fn add_to(&self, sums: &mut Sums) {
        let payer = self.payer();
        sums.add_payers(&payer, self.payers);
        if self.stars > 0 {
            let voice = self.voice.unwrap_or(payer.kept.min(WHOLE_VOICE));
            let mut one = Sums::default();
            one.add_review(Said { voice, accuracy_rating: self.stars });
            sums.unhappy += self.payers * one.unhappy;
        }
    }

    /// The fees of what was delivered, in micro-dollars.
    pub(crate) fn fees(&self) -> i64 {
        self.payers * floor((self.ok + self.late) * fee(self.price) as f64)
    }
}

/// A seller: its payers, and the weeks in which it was active.
#[derive(Debug, Clone)]
pub(crate) struct Seller {
    sums: Sums,
    /// Active weeks.
    pub(crate) weeks: u32,
}

impl Seller {
    /// A seller with these payers.
    pub(crate) fn of(groups: &[Group], weeks: u32) -> Self {
        Self { sums: Sums::default(), weeks }.and(groups)
    }

    /// The seller with more payers.
    pub(crate) fn and(&self, groups: &[Group]) -> Self {
        let mut seller = self.clone();
        for group in groups {
            group.add_to(&mut seller.sums);
        }
        seller
    }

    /// Its score and parts.
    pub(crate) fn scored(&self) -> Score {
        score(&self.sums, self.weeks, false)
    }

    /// Its score.
    pub(crate) fn score(&self) -> i64 {
        self.scored().value.into()
    }
}

pub(crate) fn floor(number: f64) -> i64 {
    number.floor() as i64
}
