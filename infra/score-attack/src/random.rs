//! Random numbers, the same in every run.

/// SplitMix64, with the distributions that the markets need.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// At least 0, below 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// At least `low`, below `high`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number from 0, below `bound`.
    pub(crate) fn below(&mut self, bound: i64) -> i64 {
        ((self.unit() * bound as f64) as i64).min(bound - 1)
    }

    /// Normally distributed (Box and Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Poisson. From 500 on, the normal approximation.
    pub(crate) fn poisson(&mut self, mean: f64) -> i64 {
        if mean >= 500.0 {
            return ((mean + mean.sqrt() * self.normal()).round() as i64).max(0);
        }
        let (limit, mut product, mut number) = ((-mean).exp(), self.unit(), 0);
        while product > limit {
            product *= self.unit();
            number += 1;
        }
        number
    }

    /// How many of `trials` succeed. The gaps between successes are drawn.
    pub(crate) fn binomial(&mut self, trials: i64, probability: f64) -> i64 {
        if probability > 0.5 {
            return trials - self.binomial(trials, 1.0 - probability);
        }
        if probability <= 0.0 {
            return 0;
        }
        let (mut at, mut successes) = (0.0, 0);
        loop {
            at += ((1.0 - self.unit()).ln() / (1.0 - probability).ln()).floor() + 1.0;
            if at > trials as f64 {
                return successes;
            }
            successes += 1;
        }
    }

    /// Gamma with scale 1 (Marsaglia and Tsang).
    pub(crate) fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = (1.0 - self.unit()).powf(1.0 / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && (1.0 - self.unit()).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_as_asked() {
        let mut random = Random::of(1);
        let mut mean = |draw: &mut dyn FnMut(&mut Random) -> f64| (0..20_000).map(|_| draw(&mut random)).sum::<f64>() / 20_000.0;
        for (got, wanted) in [
            (mean(&mut Random::unit), 0.5),
            (mean(&mut |random| random.normal() + 1.0), 1.0),
            (mean(&mut |random| random.poisson(7.0) as f64), 7.0),
            (mean(&mut |random| random.poisson(900.0) as f64), 900.0),
            (mean(&mut |random| random.binomial(200, 0.03) as f64), 6.0),
            (mean(&mut |random| random.binomial(20, 0.8) as f64), 16.0),
            (mean(&mut |random| random.gamma(0.4)), 0.4),
            (mean(&mut |random| random.gamma(5.0)), 5.0),
        ] {
            assert!((got / wanted - 1.0).abs() < 0.04, "{got} for {wanted}");
        }
    }
}
