//! Warnings about a valid listing.

use crochet_domain::currency::{EVM_ROUTE_FLOOR, OriginCurrency, payable_with};
use crochet_domain::listing::Listing;
use crochet_domain::wallet::Chain;
use serde::Serialize;
use utoipa::ToSchema;

/// Something that limits how buyers can pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Warning {
    /// Stable code: `PRICE_BELOW_ROUTE_MINIMUM` or `NO_SOLANA_PAYOUT_WALLET`.
    code: &'static str,
    /// One sentence.
    message: String,
}

/// The warnings for a listing. Free listings have none.
pub(crate) fn warnings(listing: &Listing) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if !listing.is_paid() {
        return warnings;
    }
    let mut warn = |code, message| warnings.push(Warning { code, message });
    if listing.price < EVM_ROUTE_FLOOR {
        let payable =
            payable_with(listing.price, &listing.seller.payout_chains).into_iter().map(OriginCurrency::as_str).collect::<Vec<_>>();
        warn(
            "PRICE_BELOW_ROUTE_MINIMUM",
            format!(
                "Below {} USD the payment provider rejects EVM routes: buyers can pay only with {}.",
                EVM_ROUTE_FLOOR.decimal(),
                payable.join(" or ")
            ),
        );
    }
    if !listing.seller.payout_chains.contains(&Chain::Solana) {
        warn(
            "NO_SOLANA_PAYOUT_WALLET",
            "You are paid in USDC on Base, so buyers cannot pay with USDC on Base: link a Solana wallet with the capability payout to allow that."
                .into(),
        );
    }
    warnings
}
