//! Random choices that a seed repeats.

/// A generator of random choices (SplitMix64). The same seed makes the same choices.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A generator with this seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `end`, which is left out. 0 if `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.bits() % end.max(1)
    }

    /// A number from `first` to `last`, both included.
    pub fn between(&mut self, first: i64, last: i64) -> i64 {
        let span = u64::try_from(last.saturating_sub(first)).unwrap_or(0) + 1;
        first + i64::try_from(self.below(span)).unwrap_or(0)
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    ///
    /// # Panics
    /// If there are none.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        let place = self.below(of.len() as u64);
        of[usize::try_from(place).unwrap_or(0)]
    }
}

/// The seeds of `runs` runs: 1, 2, 3 …, or from `CROCHET_FIRST_SEED` on; only that of `CROCHET_SEED` if it is set.
#[must_use]
pub fn seeds(runs: u64) -> Vec<u64> {
    if let Some(seed) = runs_from_env("CROCHET_SEED") {
        return vec![seed];
    }
    let first = runs_from_env("CROCHET_FIRST_SEED").unwrap_or(1);
    (first..first.saturating_add(runs)).collect()
}

/// The number in this variable of the environment. `None` if it is unset.
#[must_use]
pub fn runs_from_env(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_choices_within_their_bounds() {
        let drawn = |seed| {
            let mut random = Random::seeded(seed);
            (0..50).map(|_| random.between(-3, 3)).collect::<Vec<_>>()
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        assert!(drawn(7).iter().all(|number| (-3..=3).contains(number)));
    }
}
