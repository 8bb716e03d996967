//! What a seller would want to know about a listing that is fine as it is.

use crochet_domain::currency::{EVM_ROUTE_FLOOR, OriginCurrency, payable_with};
use crochet_domain::listing::Listing;
use crochet_domain::wallet::Chain;
use serde::Serialize;
use utoipa::ToSchema;

/// Something to consider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Warning {
    /// Stable: `PRICE_BELOW_ROUTE_MINIMUM` or `NO_SOLANA_PAYOUT_WALLET`.
    code: &'static str,
    /// One sentence.
    message: String,
}

/// The warnings that apply. Free listings need none of them.
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
                "Below {} USD the payment provider turns EVM routes down: buyers can pay with {} only.",
                EVM_ROUTE_FLOOR.decimal(),
                payable.join(" or ")
            ),
        );
    }
    if !listing.seller.payout_chains.contains(&Chain::Solana) {
        warn(
            "NO_SOLANA_PAYOUT_WALLET",
            "You are paid in USDC on Base, so nobody can pay with USDC there: link a Solana wallet with the capability payout to open that route.".into(),
        );
    }
    warnings
}
