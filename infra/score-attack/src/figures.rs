//! What the attacks cost.

use std::collections::BTreeMap;

use crate::{exit, inflation, sabotage};

/// Figures by name; `None` for what is never reached. A name is `attack/strategy/goal`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures(BTreeMap<String, Option<f64>>);

impl Figures {
    pub(crate) fn put(&mut self, name: String, figure: Option<f64>) {
        self.0.insert(name, figure);
    }

    /// The figure of this name; `None` if it is never reached.
    ///
    /// # Panics
    /// If there is none of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        *self.0.get(name).unwrap_or_else(|| panic!("there is no figure {name}"))
    }

    /// All of them, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<f64>)> {
        self.0.iter().map(|(name, figure)| (name.as_str(), *figure))
    }
}

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
