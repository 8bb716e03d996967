//! What the attacks cost.

use std::collections::BTreeMap;

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
