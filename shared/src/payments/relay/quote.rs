//! Relay's quotes and refusals.
//!
//! A quote's fee is taken from its amounts in USD, rounded to micro-dollars by the provider.

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::amount::Amount;
use super::id::{PROVIDER, is_request_id};
use crate::payments::provider::{QuoteFailure, QuoteRequest};
use crate::wire::payment::{PayIn, Requirements};
use crochet_domain::call::same_address;
use crochet_domain::money::Micros;

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
    fees: Option<Fees>,
}

#[derive(Deserialize)]
struct Fees {
    app: Option<Amount>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QuoteDetails {
    recipient: String,
    currency_in: Amount,
    currency_out: Amount,
    expanded_price_impact: Option<PriceImpact>,
}

#[derive(Deserialize)]
struct PriceImpact {
    app: Option<Impact>,
}

/// What a part of the costs takes from the payment, as a negative amount.
#[derive(Deserialize)]
struct Impact {
    usd: String,
}

#[derive(Deserialize)]
struct Step {
    #[serde(rename = "requestId")]
    request_id: Option<String>,
}

/// A quote that matches its request, except that its fee was not judged.
pub(super) struct CheckedQuote {
    pub(super) id: String,
    pub(super) requirements: Box<RawValue>,
    /// What the buyer pays.
    pub(super) payment: Micros,
    /// The operator's part of it.
    pub(super) fee: Micros,
}

impl Quote {
    /// Checks that the quote matches its request. No other quote may be shown to a buyer.
    pub(super) fn checked(self, request: &QuoteRequest, base: &str) -> Result<CheckedQuote, QuoteFailure> {
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
        let (payment, fee) = self.payment_and_fee(request)?;
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
        Ok(CheckedQuote { id, requirements, payment, fee })
    }

    /// The app fee. The provider plans to leave out `fees`.
    fn app_fee_usd(&self) -> Option<&str> {
        if let Some(Fees { app: Some(app) }) = &self.fees {
            return Some(&app.amount_usd);
        }
        let impact = self.details.expanded_price_impact.as_ref()?.app.as_ref()?;
        Some(impact.usd.trim_start_matches('-'))
    }

    /// What the buyer pays, and how much of it is the operator's, in USD.
    fn payment_and_fee(&self, request: &QuoteRequest) -> Result<(Micros, Micros), QuoteFailure> {
        let payment = Micros::from_usd_rounded_down(&self.details.currency_in.amount_usd);
        let fee = self.app_fee_usd().and_then(Micros::from_usd_rounded_down);
        match (payment, fee) {
            (Some(payment), Some(fee)) => Ok((payment, fee)),
            // Without a fee, there is nothing to check.
            _ if request.fee == Micros::ZERO => Ok((Micros::ZERO, Micros::ZERO)),
            _ => Err(QuoteFailure::Unavailable("a quote does not say what it costs in USD".into())),
        }
    }
}
