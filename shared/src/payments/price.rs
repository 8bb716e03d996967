//! The 402 of a price probe: what a listing costs, and nothing is quoted.

use serde_json::json;

use crate::http::{ApiError, Code};
use crate::wire::payment::{PaymentOrPrice, PaymentRequiredData, PriceOnly};
use crochet_domain::currency::payable_with;
use crochet_domain::listing::Listing;

/// The 402 with the price of a listing, as the gateway answers an empty body. `provider` is the name of the payment provider.
#[must_use]
pub fn price_only(listing: &Listing, provider: &str) -> ApiError {
    let price = PriceOnly {
        probe: true,
        provider: provider.to_owned(),
        payment_id: None,
        requirements: None,
        amount: listing.price.into(),
        origin_currencies: payable_with(listing.price, &listing.seller.payout_chains),
    };
    payment_required(PaymentOrPrice::Price(price))
        .message("data.payment.amount is the price of this call. Send the JSON body to get a quote.")
        .recovery("next_action", "send_body_to_be_quoted")
        .recovery("summary", "Send the JSON body of the call to get a quote. Nothing was quoted for the empty body.")
        .recovery("preserve", json!([]))
}

/// A 402 with a quote, or with the price only.
#[must_use]
pub fn payment_required(payment: PaymentOrPrice) -> ApiError {
    match serde_json::to_value(PaymentRequiredData { payment }) {
        Ok(data) => ApiError::new(Code::PaymentRequired).data(data),
        Err(error) => ApiError::internal(error),
    }
}
