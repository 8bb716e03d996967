//! The JSON shape of amounts.

use crochet_domain::debt::Standing;
use crochet_domain::money::Micros;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Amount {
    /// The amount in cents, rounded half up.
    pub amount_cents: i64,
    /// The exact amount in micro-dollars (1 USD is 1,000,000).
    pub amount_micros: i64,
    /// Always `USD`.
    #[schema(example = "USD")]
    pub currency: Currency,
}

/// What a seller owes; `None` if nothing.
#[must_use]
pub fn owes(standing: Standing) -> Option<Amount> {
    (standing.owes > Micros::ZERO).then(|| standing.owes.into())
}

/// The currency of all prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Currency {
    /// United States dollar.
    #[serde(rename = "USD")]
    Usd,
}

impl From<Micros> for Amount {
    fn from(micros: Micros) -> Self {
        Self { amount_cents: micros.cents(), amount_micros: micros.0, currency: Currency::Usd }
    }
}
