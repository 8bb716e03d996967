//! Warnings about a valid listing, for its seller.

use crochet_domain::currency::{EVM_ROUTE_FLOOR, OriginCurrency, payable_with};
use crochet_domain::listing::{Listing, ListingStatus};
use crochet_domain::wallet::Chain;
use serde::Serialize;
use utoipa::ToSchema;

/// Something that limits what buyers get, or how they can pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Warning {
    /// Stable code: `ENDPOINT_UNTESTED`, `PRICE_BELOW_ROUTE_MINIMUM` or `NO_SOLANA_PAYOUT_WALLET`.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
}

/// The warnings for a listing.
#[must_use]
pub fn warnings(listing: &Listing) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |code, message| warnings.push(Warning { code, message });
    if listing.status == ListingStatus::Active && listing.endpoint.is_some() && listing.tested_ms().is_none() {
        warn(
            "ENDPOINT_UNTESTED",
            format!(
                "The listing is on offer, but no test call has succeeded with its endpoint as it is: send POST /listings/{}/endpoint/test.",
                listing.id
            ),
        );
    }
    if !listing.is_paid() {
        return warnings;
    }
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
