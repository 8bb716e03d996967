//! Amounts in Relay's replies.

use serde::Deserialize;

use crochet_domain::call::ExpectedPayout;

/// An amount of a currency.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Amount {
    pub(super) currency: Currency,
    /// In the smallest unit.
    pub(super) amount: String,
    #[serde(default)]
    pub(super) amount_formatted: String,
    #[serde(default)]
    pub(super) amount_usd: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Currency {
    pub(super) chain_id: u64,
    pub(super) address: String,
    #[serde(default)]
    pub(super) symbol: String,
}

impl Amount {
    /// This amount, paid out to `recipient`.
    pub(super) fn paid_to(&self, recipient: &str) -> Option<ExpectedPayout> {
        Some(ExpectedPayout {
            recipient: recipient.to_owned(),
            chain_id: self.currency.chain_id,
            currency: self.currency.address.clone(),
            output: self.amount.parse().ok()?,
        })
    }
}
