//! Amounts as replies show them.

use crochet_domain::money::Micros;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An amount as every reply shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Amount {
    /// Cents, rounded half up.
    pub amount_cents: i64,
    /// Micro-dollars, exact.
    pub amount_micros: i64,
    /// Always `USD`.
    #[schema(example = "USD")]
    pub currency: Currency,
}

/// The currency of prices.
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
