//! Relay: `POST /quote/v2`, `GET /intents/status/v3`, `GET /requests/v3`.
//!
//! Its status says whether, its record says to whom and how much: `success` alone proves nothing about the recipient.

use futures::future::BoxFuture;
use reqwest::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use serde_json::value::RawValue;
use url::Url;

use super::{
    PayIn, PaymentProvider, ProviderPayment, ProviderQuote, ProviderStatus, ProviderUnavailable, QuoteFailure, QuoteRequest,
};
use crate::domain::call::Expected;
use crate::outbound::plain_client;
use crate::store::meter::trip;

/// Replies longer than this are not read: a quote is a few kilobytes.
const MAX_REPLY_BYTES: usize = 512 * 1024;
/// A superseded request is followed this far.
const MAX_SUPERSEDED: usize = 3;

/// The Relay API.
#[derive(Clone)]
pub struct Relay {
    http: reqwest::Client,
    base: String,
    api_key: String,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Relay {
    /// The API at `base`, with the operator's key.
    #[must_use]
    pub fn new(base: &Url, api_key: String) -> Self {
        Self { http: plain_client(), base: base.as_str().trim_end_matches('/').to_owned(), api_key }
    }

    async fn ask_for_quote(&self, request: QuoteRequest) -> Result<ProviderQuote, QuoteFailure> {
        let body = json!({
            "user": request.payer,
            "recipient": request.expected.recipient,
            "originChainId": request.origin.chain_id,
            "originCurrency": request.origin.address,
            "destinationChainId": request.expected.chain_id,
            "destinationCurrency": request.expected.currency,
            "tradeType": "EXACT_OUTPUT",
            "amount": request.expected.output.to_string(),
            "appFees": if request.fee_bps > 0 { json!([{"recipient": request.fee_wallet, "fee": request.fee_bps.to_string()}]) } else { json!([]) },
            // Without refundTo a refund may go to the recipient; without ttl an order can fill for days.
            "refundTo": request.payer,
            "ttl": request.ttl_seconds,
            "referrer": request.call.to_string(),
            // Same-chain swaps are otherwise executed by the payer alone, and never indexed.
            "forceSolverExecution": request.origin.chain_id == request.expected.chain_id,
        });
        let sent = self.http.post(format!("{}/quote/v2", self.base)).header("x-api-key", &self.api_key).json(&body);
        let (status, reply) = send("relay", sent).await.map_err(|e| QuoteFailure::Unavailable(e.0))?;
        if !status.is_success() {
            return Err(refusal(status, &reply));
        }
        let quote: Quote = read(&reply).map_err(|e| QuoteFailure::Unavailable(e.0))?;
        quote.checked(&request)
    }

    async fn ask_about(&self, id: &str) -> Result<ProviderPayment, ProviderUnavailable> {
        let mut id = id.to_owned();
        for _ in 0..MAX_SUPERSEDED {
            // Both at once: a payment that has settled needs both, and one round trip is saved on it.
            let (status, record) = tokio::join!(self.status(&id), self.record(&id));
            let (status, record) = (status?, record?);
            if let Some(next) = record.superseded_by_request_id.clone().filter(|next| *next != id) {
                id = next;
                continue;
            }
            return understand(&status, &record);
        }
        Err(ProviderUnavailable("a payment was superseded too often".into()))
    }

    async fn status(&self, id: &str) -> Result<Status, ProviderUnavailable> {
        self.get(&format!("{}/intents/status/v3", self.base), &[("requestId", id)]).await
    }

    async fn record(&self, id: &str) -> Result<Record, ProviderUnavailable> {
        let records: Records = self.get(&format!("{}/requests/v3", self.base), &[("id", id)]).await?;
        let found = records.requests.into_iter().find(|record| record.id == id);
        Ok(found.unwrap_or_default())
    }

    async fn get<T: DeserializeOwned>(&self, url: &str, query: &[(&str, &str)]) -> Result<T, ProviderUnavailable> {
        let mut url = Url::parse(url).map_err(|_| ProviderUnavailable("its URL cannot be spelled".into()))?;
        url.query_pairs_mut().extend_pairs(query);
        let (status, reply) = send("relay", self.http.get(url).header("x-api-key", &self.api_key)).await?;
        if !status.is_success() {
            return Err(ProviderUnavailable(format!("status {}", status.as_u16())));
        }
        read(&reply)
    }
}

impl PaymentProvider for Relay {
    fn quote(&self, request: QuoteRequest) -> BoxFuture<'_, Result<ProviderQuote, QuoteFailure>> {
        Box::pin(self.ask_for_quote(request))
    }

    fn payment<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<ProviderPayment, ProviderUnavailable>> {
        Box::pin(self.ask_about(id))
    }

    fn status_url(&self, id: &str) -> String {
        format!("{}/intents/status/v3?requestId={id}", self.base)
    }

    fn api_base(&self) -> &str {
        &self.base
    }
}

async fn send(to: &'static str, request: reqwest::RequestBuilder) -> Result<(StatusCode, Vec<u8>), ProviderUnavailable> {
    let exchange = async {
        let mut reply = request.send().await.map_err(|e| class(&e))?;
        let status = reply.status();
        let mut body = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(|e| class(&e))? {
            if body.len() + chunk.len() > MAX_REPLY_BYTES {
                return Err(ProviderUnavailable("its reply is too long".into()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body))
    };
    trip(to, exchange).await
}

fn class(error: &reqwest::Error) -> ProviderUnavailable {
    ProviderUnavailable(if error.is_timeout() { "no answer in time" } else { "no connection" }.into())
}

fn read<T: DeserializeOwned>(reply: &[u8]) -> Result<T, ProviderUnavailable> {
    serde_json::from_slice(reply).map_err(|_| ProviderUnavailable("its reply is not understood".into()))
}

#[derive(Deserialize)]
struct Refused {
    #[serde(rename = "errorCode", default)]
    error_code: String,
}

/// What the provider's error codes mean for a quote. A code that is not known is the provider's trouble, not the buyer's.
fn refusal(status: StatusCode, reply: &[u8]) -> QuoteFailure {
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
struct Quote {
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
    fn as_expected(&self, recipient: &str) -> Option<Expected> {
        Some(Expected {
            recipient: recipient.to_owned(),
            chain_id: self.currency.chain_id,
            currency: self.currency.address.clone(),
            output: self.amount.parse().ok()?,
        })
    }
}

impl Quote {
    /// Only a quote that is exactly what was asked for is worth showing to a buyer.
    fn checked(self, request: &QuoteRequest) -> Result<ProviderQuote, QuoteFailure> {
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
            serde_json::from_str(self.steps.get()).map_err(|_| QuoteFailure::Unavailable("its steps are not understood".into()))?;
        let mut ids = steps.into_iter().filter_map(|step| step.request_id);
        let id = ids.next().filter(|id| is_request_id(id)).ok_or_else(|| QuoteFailure::NotAsAsked("the quote has no id".into()))?;
        if ids.any(|other| other != id) {
            return Err(QuoteFailure::NotAsAsked("the quote has several ids".into()));
        }
        let Amount { currency, amount, amount_formatted, amount_usd } = self.details.currency_in;
        Ok(ProviderQuote { id, pay: PayIn { currency: currency.symbol, amount, amount_formatted, amount_usd }, steps: self.steps })
    }
}

/// The form of an id as the provider gives it; anything else could not be a payment of ours.
#[must_use]
pub fn is_request_id(text: &str) -> bool {
    (8..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    status: String,
    fail_reason: Option<String>,
}

#[derive(Deserialize)]
struct Records {
    #[serde(default)]
    requests: Vec<Record>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(default)]
    id: String,
    #[serde(default)]
    recipient: Option<String>,
    #[serde(default)]
    superseded_by_request_id: Option<String>,
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
    fn paid_out(&self) -> Option<Expected> {
        let output = self.data.as_ref()?.route.as_ref()?.actual.as_ref()?.destination.as_ref()?.output_currency.as_ref()?;
        output.as_expected(self.recipient.as_deref()?)
    }
}

fn understand(status: &Status, record: &Record) -> Result<ProviderPayment, ProviderUnavailable> {
    let paid_out = record.paid_out();
    let status_of_it = match status.status.as_str() {
        "waiting" => ProviderStatus::Waiting,
        "depositing" | "pending" | "submitted" | "delayed" => ProviderStatus::Pending,
        "success" => ProviderStatus::Success,
        // A second deposit is given back while the first one's fill stands: the seller was paid.
        "failure" | "refund" if paid_out.is_some() => ProviderStatus::Success,
        "failure" => ProviderStatus::Failed,
        "refund" => ProviderStatus::Refunded,
        other => return Err(ProviderUnavailable(format!("status {:?} is not known", other.chars().take(20).collect::<String>()))),
    };
    let fail_reason = status.fail_reason.clone().filter(|reason| reason != "N/A" && !reason.is_empty());
    Ok(ProviderPayment { status: status_of_it, paid_out, fail_reason })
}

impl Expected {
    /// Whether a payment is exactly this one. EVM addresses compare without regard to case.
    #[must_use]
    pub fn matches(&self, wanted: &Self) -> bool {
        self.chain_id == wanted.chain_id
            && self.output == wanted.output
            && same_address(&self.recipient, &wanted.recipient)
            && same_address(&self.currency, &wanted.currency)
    }
}

fn same_address(a: &str, b: &str) -> bool {
    if a.starts_with("0x") && b.starts_with("0x") { a.eq_ignore_ascii_case(b) } else { a == b }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(recipient: &str, output: u64) -> Expected {
        Expected { recipient: recipient.into(), chain_id: 8_453, currency: "0xAB".into(), output }
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
