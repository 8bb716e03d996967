//! A secret of seeds, from which keys are derived: those of receipts, and those of endpoints.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

/// A seed, and from when its key is used.
#[derive(Debug, Clone, Deserialize)]
pub struct Seed {
    /// Random text of at least 32 characters, from which the key is derived.
    pub seed: SecretString,
    /// From when its key signs or seals (Unix milliseconds). Until then, it verifies or opens already.
    #[serde(default)]
    pub from_ms: i64,
}

/// The seed that the template created, and those of later rotations.
#[derive(Debug, Clone, Deserialize)]
pub struct Seeds {
    /// The first seed.
    pub seed: SecretString,
    /// Later ones, oldest first.
    #[serde(default)]
    pub rotated: Vec<Seed>,
}

impl Seeds {
    /// All seeds, oldest first.
    #[must_use]
    pub fn seeds(&self) -> Vec<Seed> {
        let first = Seed { seed: self.seed.clone(), from_ms: 0 };
        std::iter::once(first).chain(self.rotated.iter().cloned()).collect()
    }

    /// The secret with one more seed, as the text to be stored.
    #[must_use]
    pub fn rotated(&self, seed: &str, from_ms: i64) -> SecretString {
        let mut rotated: Vec<Value> =
            self.rotated.iter().map(|known| json!({ "seed": known.seed.expose_secret(), "from_ms": known.from_ms })).collect();
        rotated.push(json!({ "seed": seed, "from_ms": from_ms }));
        json!({ "seed": self.seed.expose_secret(), "rotated": rotated }).to_string().into()
    }
}
