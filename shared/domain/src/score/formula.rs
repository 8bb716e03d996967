//! The formula. Sums are integers and `/` rounds down, so that no order of payers or reviews can change a score. Root and logarithm
//! are IEEE doubles, rounded half up at the end.

/// Of one payer, this much counts in full: 50 calls.
const IN_FULL: i64 = 50_000;
/// Beyond that, this much counts a tenth: 500 calls.
const A_TENTH: i64 = 500_000;
/// What makes a whole customer: 5 calls.
const WHOLE_CUSTOMER: i64 = 5_000;
/// Counted calls for which one content voice is supposed: silence is the normal case.
const CALLS_PER_SILENT_VOICE: i64 = 12;
/// What failures beyond a payer's own good calls weigh together: the volume divided by this.
const STRANGERS: i64 = 100;
/// Weeks with five calls or more that make the whole of longevity.
const ALL_WEEKS: u32 = 26;
/// A score never stands more than this above the weaker of reliability and accuracy.
const ABOVE_THE_WEAKER: i64 = 300;
/// The most that a seller has while a refund is overdue.
const OVERDUE: i64 = 200;

/// What counts of one payer, faded, in milli. A payer is a cluster: all profiles of one operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Payer {
    /// Delivered calls.
    pub kept: i64,
    /// What failed, without what is owed.
    pub lost: i64,
    /// What was not delivered and should have been paid back by now.
    pub owed: i64,
    /// How much this payer was let down, 0 to 1000.
    pub grief: i64,
}

/// A review: how much it weighs, and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// Its voice, faded, in milli.
    pub voice: i64,
    /// Its `accuracy_rating`, 1 to 5.
    pub accuracy_rating: u8,
}

/// The sums over payers and reviews that the formula needs, in milli.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Good calls: `V`.
    pub volume: i64,
    /// Bad calls of payers that were served: `BAD`, without [`Sums::beyond`].
    pub bad: i64,
    /// Failures beyond the payers' own good calls.
    pub beyond: i64,
    /// Unhappy voices: `U`.
    pub unhappy: i64,
    /// Customers: `HEADS`.
    pub heads: i64,
    /// Customers that were let down: `GRIEF`.
    pub grief: i64,
}

/// The five parts of a score, 0 to 1000 each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// How many calls failed.
    pub reliability: u16,
    /// How many customers complain.
    pub accuracy: u16,
    /// How much was bought.
    pub volume: u16,
    /// How many weeks were active.
    pub longevity: u16,
    /// How many customers were let down.
    pub reputation: u16,
}

/// What each part weighs, in percent, in the order of [`Parts::array`].
pub const WEIGHTS: [u16; 5] = [40, 20, 15, 10, 15];

/// A score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// The score, 0 to 1000.
    pub value: u16,
    /// Its parts.
    pub parts: Parts,
}

impl Parts {
    /// Reliability, accuracy, volume, longevity, reputation.
    #[must_use]
    pub fn array(&self) -> [u16; 5] {
        [self.reliability, self.accuracy, self.volume, self.longevity, self.reputation]
    }

    /// The weighted mean, rounded half up.
    fn mean(&self) -> i64 {
        (self.array().iter().zip(WEIGHTS).map(|(part, weight)| i64::from(*part) * i64::from(weight)).sum::<i64>() + 50) / 100
    }
}

impl Sums {
    /// Adds what counts of `times` payers that are all like this one.
    pub fn add_payers(&mut self, payer: &Payer, times: i64) {
        let own = payer.lost.min(payer.kept);
        let all = payer.kept + own + payer.owed;
        let weight = all.min(IN_FULL) + (all - IN_FULL).clamp(0, A_TENTH) / 10;
        let good = (weight * payer.kept).checked_div(all).unwrap_or(0);
        let head = payer.kept.min(WHOLE_CUSTOMER) * 1_000 / WHOLE_CUSTOMER;
        self.volume += times * good;
        self.bad += times * (weight - good);
        self.beyond += times * (payer.lost - own);
        self.heads += times * head;
        self.grief += times * (head * payer.grief / 1_000);
    }

    /// Adds a payer.
    pub fn add_payer(&mut self, payer: &Payer) {
        self.add_payers(payer, 1);
    }

    /// Adds a review. Praise adds nothing: a cheat has it free.
    pub fn add_review(&mut self, review: Said) {
        let dissatisfaction = match review.accuracy_rating {
            0..=1 => 1_000,
            2 => 667,
            3 => 333,
            _ => 0,
        };
        self.unhappy += review.voice * dissatisfaction / 1_000;
    }

    /// All bad calls: `BAD`. What failed beyond the payers' own good calls hardly weighs.
    #[must_use]
    pub fn all_bad(&self) -> i64 {
        self.bad + self.beyond.min(self.volume / STRANGERS)
    }

    /// All voices, the silent ones included.
    #[must_use]
    pub fn voices(&self) -> i64 {
        self.volume / CALLS_PER_SILENT_VOICE + self.unhappy
    }

    /// The parts of a seller with these sums that was active in `active_weeks`.
    #[must_use]
    pub fn parts(&self, active_weeks: u32) -> Parts {
        let bad = self.all_bad();
        Parts {
            reliability: share(bad, self.volume + bad, &RELIABILITY),
            accuracy: share(self.unhappy, self.voices(), &ACCURACY),
            volume: rounded((400.0 + 200.0 * (1.0 + double(self.volume) / 10_000.0).log10()).min(1_000.0)),
            longevity: rounded(400.0 + 600.0 * f64::from(active_weeks.min(ALL_WEEKS)) / f64::from(ALL_WEEKS)),
            reputation: share(self.grief, self.heads, &REPUTATION),
        }
    }
}

/// The score of a seller with these sums that was active in `active_weeks` of the last 52.
#[must_use]
pub fn score(sums: &Sums, active_weeks: u32, refund_overdue: bool) -> Score {
    let parts = sums.parts(active_weeks);
    let weaker = i64::from(parts.reliability.min(parts.accuracy));
    let most = if refund_overdue { OVERDUE } else { 1_000 };
    let value = parts.mean().min(weaker + ABOVE_THE_WEAKER).min(most);
    Score { value: u16::try_from(value).unwrap_or(0), parts }
}

/// The most that any history scores whose fees of the last 13 weeks come to `fees`, whatever its wallets, prices and reviews are.
///
/// Volume and five times the customers never exceed the fees divided by the unit, and every loss only lowers.
#[must_use]
pub fn ceiling(fees: crate::money::Micros, unit_fee: crate::money::Micros, active_weeks: u32) -> u16 {
    let milli = i128::from(fees.0.max(0)) * 1_000 / i128::from(unit_fee.0.max(1)) + 1;
    let milli = i64::try_from(milli).unwrap_or(i64::MAX / 1_000).min(i64::MAX / 1_000);
    let best = Sums { volume: milli, heads: milli * 1_000 / WHOLE_CUSTOMER, ..Sums::default() };
    u16::try_from(best.parts(active_weeks).mean()).unwrap_or(0)
}

/// The imaginary record that is added to a seller's own, so that without data a part is 400; and how steeply a share of bad falls.
struct Imaginary {
    bad: i64,
    of: i64,
    slope: f64,
}

/// 100 calls, 9 of them failed.
const RELIABILITY: Imaginary = Imaginary { bad: 9_000, of: 100_000, slope: 2.0 };
/// 30 voices, 16 % of them unhappy.
const ACCURACY: Imaginary = Imaginary { bad: 4_800, of: 30_000, slope: 1.5 };
/// 30 customers, 16 % of them let down.
const REPUTATION: Imaginary = Imaginary { bad: 4_800, of: 30_000, slope: 1.5 };

fn share(bad: i64, of: i64, imaginary: &Imaginary) -> u16 {
    let root = (double(bad + imaginary.bad) / double(of + imaginary.of)).sqrt();
    rounded((1_000.0 - 1_000.0 * imaginary.slope * root).max(0.0))
}

#[expect(clippy::cast_precision_loss, reason = "sums stay far below 2^53, up to which a double is exact")]
fn double(sum: i64) -> f64 {
    sum as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part is 0 to 1000")]
fn rounded(part: f64) -> u16 {
    (part + 0.5).floor() as u16
}
