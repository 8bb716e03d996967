//! Relay's replies, and what they mean.

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::payments::provider::{ProviderPayment, ProviderQuote, ProviderStatus, ProviderUnavailable, QuoteFailure, QuoteRequest};
use crate::wire::payment::{PayIn, Requirements};
use crochet_domain::call::ExpectedPayout;
use crochet_domain::call::same_address;

/// The name of this provider.
pub(super) const PROVIDER: &str = "relay";

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
#[serde(rename_all = "camelCase")]
struct Amount {
    currency: AmountCurrency,
    amount: String,
    #[serde(default)]
    amount_formatted: String,
    #[serde(default)]
    amount_usd: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AmountCurrency {
    chain_id: u64,
    address: String,
    #[serde(default)]
    symbol: String,
}

#[derive(Deserialize)]
struct Step {
    #[serde(rename = "requestId")]
    request_id: Option<String>,
}

impl Amount {
    fn as_expected(&self, recipient: &str) -> Option<ExpectedPayout> {
        Some(ExpectedPayout {
            recipient: recipient.to_owned(),
            chain_id: self.currency.chain_id,
            currency: self.currency.address.clone(),
            output: self.amount.parse().ok()?,
        })
    }
}

impl Quote {
    /// Checks that the quote matches its request. No other quote may be shown to a buyer.
    pub(super) fn checked(self, request: &QuoteRequest, base: &str) -> Result<ProviderQuote, QuoteFailure> {
        let offered = self.details.currency_out.as_expected(&self.details.recipient);
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

/// Whether a text has the form of the provider's ids.
#[must_use]
pub(super) fn is_request_id(text: &str) -> bool {
    (8..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    status: String,
    fail_reason: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Records {
    #[serde(default)]
    pub(super) requests: Vec<Record>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    recipient: Option<String>,
    #[serde(default)]
    pub(super) superseded_by_request_id: Option<String>,
    #[serde(default)]
    data: Option<RecordData>,
}

#[derive(Deserialize)]
struct RecordData {
    route: Option<Route>,
}

#[derive(Deserialize)]
struct Route {
    actual: Option<ActualRoute>,
}

#[derive(Deserialize)]
struct ActualRoute {
    destination: Option<Leg>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Leg {
    output_currency: Option<Amount>,
}

impl Record {
    fn paid_out(&self) -> Option<ExpectedPayout> {
        let output = self.data.as_ref()?.route.as_ref()?.actual.as_ref()?.destination.as_ref()?.output_currency.as_ref()?;
        output.as_expected(self.recipient.as_deref()?)
    }
}

pub(super) fn understand(status: &Status, record: &Record) -> Result<ProviderPayment, ProviderUnavailable> {
    let paid_out = record.paid_out();
    let status_of_it = match status.status.as_str() {
        "waiting" => ProviderStatus::Waiting,
        "depositing" | "pending" | "submitted" | "delayed" => ProviderStatus::Pending,
        "success" => ProviderStatus::Success,
        // A second deposit is refunded while the fill of the first one stands: the seller was paid.
        "failure" | "refund" if paid_out.is_some() => ProviderStatus::Success,
        "failure" => ProviderStatus::Failed,
        "refund" => ProviderStatus::Refunded,
        other => return Err(ProviderUnavailable(format!("unknown status {:?}", other.chars().take(20).collect::<String>()))),
    };
    let fail_reason = status.fail_reason.clone().filter(|reason| reason != "N/A" && !reason.is_empty());
    Ok(ProviderPayment { status: status_of_it, paid_out, fail_reason })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn expected(recipient: &str, output: u64) -> ExpectedPayout {
        ExpectedPayout { recipient: recipient.into(), chain_id: 8_453, currency: "0xAB".into(), output }
    }

    #[test]
    fn a_payment_must_be_the_one_that_was_quoted() {
        assert!(expected("0xab", 5).matches(&expected("0xAB", 5)));
        assert!(!expected("0xab", 4).matches(&expected("0xAB", 5)));
        assert!(!expected("0xac", 5).matches(&expected("0xAB", 5)));
        assert!(!expected("abc", 5).matches(&expected("ABC", 5)), "Solana addresses are exact");
    }

    #[test]
    fn a_refund_whose_fill_was_kept_is_a_success() {
        let status = Status { status: "refund".into(), fail_reason: Some("DOUBLE_SPEND".into()) };
        let record: Record = serde_json::from_value(json!({
            "id": "0x1", "recipient": "0xab",
            "data": {"route": {"actual": {"destination": {"outputCurrency": {"currency": {"chainId": 8453, "address": "0xab"}, "amount": "5"}}}}}
        }))
        .expect("a record");
        let payment = understand(&status, &record).expect("understood");
        assert_eq!((payment.status, payment.paid_out.map(|p| p.output)), (ProviderStatus::Success, Some(5)));
        let payment = understand(&status, &Record::default()).expect("understood");
        assert_eq!(payment.status, ProviderStatus::Refunded);
    }
}
