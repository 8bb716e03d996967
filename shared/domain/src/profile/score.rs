//! Scores and their tiers.

/// Score of a new agent.
pub const STARTING_SCORE: u16 = 400;
/// Lowest score that carries the verified mark.
pub const VERIFIED_SCORE: u16 = 800;

/// A score that has moved by less, within its tier, is not copied into profile and listings.
pub const SCORE_STEP: u16 = 5;

/// The tier of a score.
#[must_use]
pub fn tier(score: u16) -> &'static str {
    match score {
        0..400 => "Low",
        400..700 => "Moderate",
        700..800 => "Trusted",
        800..900 => "Elite",
        _ => "Exceptional",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_end_where_the_contract_says() {
        for (score, name) in [
            (0, "Low"),
            (399, "Low"),
            (400, "Moderate"),
            (699, "Moderate"),
            (700, "Trusted"),
            (799, "Trusted"),
            (800, "Elite"),
            (899, "Elite"),
            (900, "Exceptional"),
            (1000, "Exceptional"),
        ] {
            assert_eq!(tier(score), name, "{score}");
        }
    }
}
