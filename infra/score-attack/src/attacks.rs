//! All attacks.

use crate::figures::Figures;
use crate::{exit, inflation, sabotage};

/// Plays all attacks.
#[must_use]
pub fn figures() -> Figures {
    let mut figures = Figures::default();
    inflation::play(&mut figures);
    sabotage::play(&mut figures);
    exit::play(&mut figures);
    figures
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The simulator that the formula was chosen with is another program, in another language.
    const SIMULATED: &str = include_str!("../data/simulator.json");

    #[test]
    fn figures_agree_with_the_simulator_that_the_formula_was_chosen_with() {
        let simulated: BTreeMap<String, Option<f64>> = serde_json::from_str(SIMULATED).expect("figures");
        let figures = figures();
        let names: Vec<&str> = figures.iter().map(|(name, _)| name).collect();
        assert_eq!(names, simulated.keys().map(String::as_str).collect::<Vec<_>>());
        let mut farthest = (0.0, "");
        for (name, figure) in figures.iter() {
            let off = match (figure, simulated[name]) {
                (None, None) => 0.0,
                (Some(got), Some(wanted)) => (got - wanted).abs() / wanted.abs().max(1e-9),
                (got, wanted) => panic!("{name}: {got:?} here, {wanted:?} there"),
            };
            farthest = if off > farthest.0 { (off, name) } else { farthest };
        }
        println!("figures: {} compared; farthest off by {:.1} %: {}", names.len(), farthest.0 * 100.0, farthest.1);
        assert!(farthest.0 <= 0.1, "{farthest:?}");
    }
}
