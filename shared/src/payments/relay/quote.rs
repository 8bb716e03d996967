//! Relay's quotes and refusals.

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::amount::Amount;
use super::{PROVIDER, is_request_id};
use crate::payments::provider::{ProviderQuote, QuoteFailure, QuoteRequest};
use crate::wire::payment::{PayIn, Requirements};
use crochet_domain::call::same_address;

#[derive(Deserialize)]
struct Refused {
    #[serde(rename = "errorCode", default)]
    error_code: String,
}

/// What the provider's error codes mean for a quote. An unknown code is a problem of the provider, not of the buyer.
pub(super) fn refusal(status: StatusCode, reply: &[u8]) -> QuoteFailure {
    let code = serde_json::from_slice::<Refused>(reply).map(|refused| refused.error_code).unwrap_or_default();
    match code.as_str() {
        "AMOUNT_TOO_LOW" | "DEPOSITED_AMOUNT_TOO_LOW_TO_FILL" => QuoteFailure::MinimumNotMet,
        "NO_SWAP_ROUTES_FOUND"
        | "NO_INTERNAL_SWAP_ROUTES_FOUND"
        | "NO_QUOTES"
        | "UNSUPPORTED_ROUTE"
        | "UNSUPPORTED_CHAIN"
        | "UNSUPPORTED_CURRENCY"
        | "ROUTE_TEMPORARILY_RESTRICTED"
        | "CHAIN_DISABLED" => QuoteFailure::NoRoute,
        _ => QuoteFailure::Unavailable(format!("a quote was refused with status {} {code}", status.as_u16())),
    }
}

#[derive(Deserialize)]
pub(super) struct Quote {
    steps: Box<RawValue>,
    details: QuoteDetails,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QuoteDetails {
    recipient: String,
    currency_in: Amount,
    currency_out: Amount,
}

#[derive(Deserialize)]
struct Step {
    #[serde(rename = "requestId")]
    request_id: Option<String>,
}

impl Quote {
    /// Checks that the quote matches its request. No other quote may be shown to a buyer.
    pub(super) fn checked(self, request: &QuoteRequest, base: &str) -> Result<ProviderQuote, QuoteFailure> {
        let offered = self.details.currency_out.paid_to(&self.details.recipient);
        if !offered.is_some_and(|offered| offered.matches(&request.expected)) {
            return Err(QuoteFailure::NotAsAsked("recipient, chain, currency or output differ from what was asked for".into()));
        }
        let paid_in = &self.details.currency_in;
        if paid_in.currency.chain_id != request.origin.chain_id || !same_address(&paid_in.currency.address, request.origin.address)
        {
            return Err(QuoteFailure::NotAsAsked("the currency to pay in differs from what was asked for".into()));
        }
        let steps: Vec<Step> =
            serde_json::from_str(self.steps.get()).map_err(|_| QuoteFailure::Unavailable("its steps cannot be parsed".into()))?;
        let mut ids = steps.into_iter().filter_map(|step| step.request_id);
        let id = ids.next().filter(|id| is_request_id(id)).ok_or_else(|| QuoteFailure::NotAsAsked("the quote has no id".into()))?;
        if ids.any(|other| other != id) {
            return Err(QuoteFailure::NotAsAsked("the quote has several ids".into()));
        }
        let Amount { currency, amount, amount_formatted, amount_usd } = self.details.currency_in;
        let requirements = Requirements {
            kind: PROVIDER,
            chain_id: request.origin.chain_id,
            pay: PayIn { currency: currency.symbol, amount, amount_formatted, amount_usd },
            steps: self.steps,
            api_base: base.to_owned(),
            status_url: format!("{base}/intents/status/v3?requestId={id}"),
            refund_to: request.payer.clone(),
        };
        let requirements = serde_json::value::to_raw_value(&requirements);
        let requirements = requirements.map_err(|_| QuoteFailure::Unavailable("its steps cannot be serialised".into()))?;
        Ok(ProviderQuote { id, requirements })
    }
}
