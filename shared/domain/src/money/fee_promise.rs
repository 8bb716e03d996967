//! What the operator is promised of a payment, and the rate that yields it.
//!
//! A provider takes the operator's fee as whole basis points of what the buyer pays. The buyer pays the seller's share, the
//! provider's costs, and the fee itself, so the rate depends on the costs.

use super::Micros;

/// 100 %, in basis points.
const WHOLE_BPS: i128 = 10_000;
/// Maximum rate. At 100 %, nothing would be left for the seller.
const MAX_BPS: i128 = 9_999;
/// What the operator may get above the fee in any case.
const MIN_ALLOWANCE: Micros = Micros(100);

/// The operator gets at least the fee, and at most the fee and the greater of 1 % of it and 100 micro-dollars.
///
/// One basis point of the payment is the smallest step. So the upper side can be kept if one step fits into the allowance: at a fee
/// of 4.9 %, while price and costs together are below about 1 USD or 4.9 times the price. Costs up to 0.79 USD fit at every price.
/// The lower side can always be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeePromise {
    fee: Micros,
}

impl FeePromise {
    /// The promise for a fee.
    #[must_use]
    pub fn of(fee: Micros) -> Self {
        Self { fee }
    }

    /// The most that the operator gets.
    #[must_use]
    pub fn at_most(self) -> Micros {
        Micros(self.fee.0 + MIN_ALLOWANCE.0.max(self.fee.0 / 100))
    }

    /// Whether this amount is at least the fee.
    #[must_use]
    pub fn is_reached_by(self, collected: Micros) -> bool {
        collected >= self.fee
    }

    /// Whether this amount is at least the fee, and not too much.
    #[must_use]
    pub fn is_kept_by(self, collected: Micros) -> bool {
        self.is_reached_by(collected) && collected <= self.at_most()
    }

    /// The smallest rate that yields the fee, in basis points of the payment. `net` is the payment without the fee: the seller's
    /// share and the provider's costs.
    ///
    /// The payment is `net × 10000 / (10000 − bps)`, and `bps` of it is at least the fee if `bps ≥ fee × 10000 / (net + fee)`.
    #[must_use]
    pub fn bps(self, net: Micros) -> u16 {
        let fee = i128::from(self.fee.0.max(0));
        if fee == 0 {
            return 0;
        }
        let payment = i128::from(net.0.max(1)) + fee;
        let bps = (fee * WHOLE_BPS + payment - 1) / payment;
        u16::try_from(bps.min(MAX_BPS)).unwrap_or(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FeeRate, MAX_PRICE, MIN_PRICE, PriceSplit};
    use super::*;

    /// The provider: the smallest payment that covers output, costs and fee; the fee is rounded down.
    fn collected(net: i64, bps: i64) -> i64 {
        let payment = (i128::from(net) * WHOLE_BPS + (WHOLE_BPS - i128::from(bps)) - 1) / (WHOLE_BPS - i128::from(bps));
        i64::try_from(payment * i128::from(bps) / WHOLE_BPS).expect("an amount")
    }

    fn prices() -> impl Iterator<Item = Micros> {
        let spread = (0..2_000).map(|n| 100.0 * (1e8_f64).powf(f64::from(n) / 2_000.0));
        let round = [100, 101, 10_000, 1_000_000, 100_000_000, 9_999_999_999, 10_000_000_000].into_iter().map(Micros);
        #[expect(clippy::cast_possible_truncation, reason = "prices are far below the limit")]
        let spread = spread.map(|price| Micros(price as i64));
        // From about 0.205 USD on, 1 % of the fee is more than 100 micro-dollars.
        spread.chain((100..3_000).map(Micros)).chain((204_500..205_500).map(Micros)).chain(round)
    }

    fn split(price: Micros, bps: u16) -> PriceSplit {
        PriceSplit::of(price, FeeRate::from_bps(bps).expect("a rate"))
    }

    #[test]
    fn the_rate_is_the_smallest_that_yields_the_fee() {
        let costs = [0, 1, 600, 5_000, 20_000, 20_750, 50_000, 100_000, 800_000, 5_000_000, 40_000_000];
        for price in prices() {
            assert!(price >= MIN_PRICE && price <= MAX_PRICE);
            for cost in costs {
                for rate in [0, 1, 100, 490, 2_500] {
                    let split = split(price, rate);
                    let promise = FeePromise::of(split.fee);
                    let net = split.seller_receives.0 + cost;
                    let bps = i64::from(promise.bps(Micros(net)));
                    let fee = collected(net, bps);
                    assert!(promise.is_reached_by(Micros(fee)), "{price:?} at cost {cost}: {fee} of {:?}", split.fee);
                    // In whole micro-dollars of the payment, not of the fee: rounding of the payment may lend one.
                    let less = i128::from(net) * i128::from(bps - 1);
                    let needed = i128::from(split.fee.0) * (WHOLE_BPS - i128::from(bps - 1));
                    assert!(bps == 0 || less < needed, "{price:?} at cost {cost}: a smaller rate would do");
                }
            }
        }
    }

    #[test]
    fn at_every_price_and_usual_cost_the_promise_is_kept() {
        for price in prices() {
            for cost in [0, 1, 600, 5_000, 19_999, 20_000, 20_750, 35_000, 50_000, 100_000, 300_000, 500_000, 790_000] {
                let split = split(price, 490);
                let promise = FeePromise::of(split.fee);
                let net = split.seller_receives.0 + cost;
                let fee = collected(net, i64::from(promise.bps(Micros(net))));
                assert!(promise.is_kept_by(Micros(fee)), "{price:?} at cost {cost}: {fee} for {:?}", split.fee);
            }
        }
    }

    /// Where one basis point of the payment is more than the allowance, the fee is reached, and missed from above by at most a step.
    #[test]
    fn beyond_that_one_step_may_be_more_than_is_allowed() {
        for (price, cost, expected) in [(100_000, 6_000_000, (4_900, 5_000, 5_490)), (205_147, 800_000, (10_052, 10_152, 10_153))] {
            let split = split(Micros(price), 490);
            let promise = FeePromise::of(split.fee);
            let net = split.seller_receives.0 + cost;
            let fee = collected(net, i64::from(promise.bps(Micros(net))));
            assert_eq!((split.fee.0, promise.at_most().0, fee), expected);
            assert!(fee - split.fee.0 <= (net + fee) / 10_000 + 1);
        }
    }

    #[test]
    fn the_allowance_is_one_percent_or_a_hundred_micro_dollars() {
        for (fee, at_most) in [(0, 100), (5, 105), (490, 590), (10_000, 10_100), (49_000, 49_490), (490_000_000, 494_900_000)] {
            let promise = FeePromise::of(Micros(fee));
            assert_eq!(promise.at_most(), Micros(at_most));
            for (collected, kept) in [(fee, true), (at_most, true), (at_most + 1, false), (fee - 1, false)] {
                assert_eq!(promise.is_kept_by(Micros(collected)), kept, "{fee} {collected}");
            }
        }
        assert_eq!(FeePromise::of(Micros::ZERO).bps(Micros(95)), 0);
        assert_eq!(FeePromise::of(Micros(100)).bps(Micros::ZERO), 9_901, "whatever the provider reports, there is a rate");
    }
}
