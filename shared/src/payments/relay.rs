//! Relay: `POST /quote/v2`, `GET /intents/status/v3`, `GET /requests/v3`.
//!
//! The status says whether a payment succeeded; the record says who received how much. A status of `success` alone proves nothing
//! about the recipient.

mod replies;

use futures::future::BoxFuture;
use http::HeaderMap;
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::json;
use url::Url;

use replies::{PROVIDER, Quote, Record, Records, Status, is_request_id, refusal, understand};

use super::provider::{
    PaymentProvider, ProviderPayment, ProviderQuote, ProviderUnavailable, QuoteFailure, QuoteRequest, UnreadablePaymentId,
};
use crate::outbound::operator_client;
use crate::telemetry::meter::trip;
use crate::wire::payment::PAYMENT_ID_HEADER;

/// Maximum length of a reply, in bytes. A quote takes a few kilobytes.
const MAX_REPLY_BYTES: usize = 512 * 1024;
/// Maximum number of requests in a chain in which each supersedes the one before.
const MAX_SUPERSEDED: usize = 3;

/// The Relay API.
#[derive(Clone)]
pub(super) struct Relay {
    http: reqwest::Client,
    base: String,
    api_key: SecretString,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Relay {
    /// The API at `base`, with the operator's key.
    #[must_use]
    pub(super) fn new(base: &Url, api_key: SecretString) -> Self {
        Self { http: operator_client(), base: base.as_str().trim_end_matches('/').to_owned(), api_key }
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
            // Without refundTo, a refund may go to the recipient. Without ttl, an order can be filled for days.
            "refundTo": request.payer,
            "ttl": request.ttl_seconds,
            "referrer": request.call.to_string(),
            // Otherwise, the payer alone executes a swap on one chain, and Relay never indexes it.
            "forceSolverExecution": request.origin.chain_id == request.expected.chain_id,
        });
        let sent = self.http.post(format!("{}/quote/v2", self.base)).header("x-api-key", self.api_key.expose_secret()).json(&body);
        let (status, reply) = send("relay", sent).await.map_err(|e| QuoteFailure::Unavailable(e.0))?;
        if !status.is_success() {
            return Err(refusal(status, &reply));
        }
        let quote: Quote = read(&reply).map_err(|e| QuoteFailure::Unavailable(e.0))?;
        quote.checked(&request, &self.base)
    }

    async fn ask_about(&self, id: &str) -> Result<ProviderPayment, ProviderUnavailable> {
        let mut id = id.to_owned();
        for _ in 0..MAX_SUPERSEDED {
            // At the same time: a settled payment needs both, and this saves a round trip.
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
        let mut url = Url::parse(url).map_err(|_| ProviderUnavailable("its URL is not valid".into()))?;
        url.query_pairs_mut().extend_pairs(query);
        let (status, reply) = send("relay", self.http.get(url).header("x-api-key", self.api_key.expose_secret())).await?;
        if !status.is_success() {
            return Err(ProviderUnavailable(format!("status {}", status.as_u16())));
        }
        read(&reply)
    }
}

impl PaymentProvider for Relay {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn recognise(&self, headers: &HeaderMap) -> Result<Option<String>, UnreadablePaymentId> {
        let mut values = headers.get_all(PAYMENT_ID_HEADER).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(UnreadablePaymentId::Malformed);
        }
        let id = value.to_str().map_err(|_| UnreadablePaymentId::Malformed)?;
        if is_request_id(id) { Ok(Some(id.to_owned())) } else { Err(UnreadablePaymentId::NotAnId) }
    }

    fn quote(&self, request: QuoteRequest) -> BoxFuture<'_, Result<ProviderQuote, QuoteFailure>> {
        Box::pin(self.ask_for_quote(request))
    }

    fn payment<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<ProviderPayment, ProviderUnavailable>> {
        Box::pin(self.ask_about(id))
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
    ProviderUnavailable(if error.is_timeout() { "no reply in time" } else { "no connection" }.into())
}

fn read<T: DeserializeOwned>(reply: &[u8]) -> Result<T, ProviderUnavailable> {
    serde_json::from_slice(reply).map_err(|_| ProviderUnavailable("its reply cannot be parsed".into()))
}
