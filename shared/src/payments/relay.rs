//! Relay: `POST /quote/v2`, `GET /intents/status/v3`, `GET /requests/v3`.
//!
//! The status says whether a payment succeeded; the record says who received how much. A status of `success` alone proves nothing
//! about the recipient.

mod amount;
mod fee;
mod id;
mod quote;
mod report;
#[cfg(test)]
mod tests;
mod webhook;

use std::sync::Arc;
use std::time::Instant;

use futures::future::BoxFuture;
use http::HeaderMap;
use reqwest::StatusCode;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::json;
use url::Url;

use fee::SeenCosts;
pub(super) use id::PROVIDER;
use id::{is_payment_id, is_request_id};
use quote::{CheckedQuote, Quote, refusal};
use report::{Record, Records, Report, Status, denies_knowing, understand};

use super::provider::{
    FilledPayments, PaymentProvider, ProviderPayment, ProviderQuote, ProviderStatus, ProviderUnavailable, QuoteFailure,
    QuoteRequest, RecordWanted, UnreadablePaymentId, WebhookEvent, WebhookRefused,
};
use crate::config::ProviderSecret;
use crate::operator_secret::{OperatorSecret, READ_AGAIN_MS};
use crate::outbound::operator_client;
use crate::secret_store_error::SecretStoreError;
use crate::telemetry::meter::trip;
use crate::telemetry::metrics::{self, Metric};
use crate::wire::payment::PAYMENT_ID_HEADER;

/// Maximum length of a reply, in bytes. A quote takes a few kilobytes.
const MAX_REPLY_BYTES: usize = 512 * 1024;
/// Maximum number of payments, each superseding the one before, that are followed.
const MAX_SUPERSEDED: usize = 3;

/// Payments on one page of a list. The provider's maximum.
const LIST_LIMIT: u8 = 50;

/// How often a wrong signature lets the key be read again (milliseconds): anybody can send one.
const WEBHOOK_READS_MS: i64 = 10_000;

/// What the names of pages begin with that are listed under the key before ours.
const PREVIOUS_KEY: &str = "previous:";

/// The Relay API.
#[derive(Clone)]
pub(super) struct Relay {
    http: reqwest::Client,
    base: String,
    secret: Arc<OperatorSecret<ProviderSecret>>,
    costs: Arc<SeenCosts>,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Relay {
    /// The API at `base`, with the operator's key.
    #[must_use]
    pub(super) fn new(base: &Url, secret: OperatorSecret<ProviderSecret>) -> Self {
        let base = base.as_str().trim_end_matches('/').to_owned();
        Self { http: operator_client(), base, secret: Arc::new(secret), costs: Arc::default() }
    }

    /// Sends a request with our key. If the key is refused, it is read again: another one is tried at once.
    async fn send(
        &self,
        request: impl Fn(&ProviderSecret) -> reqwest::RequestBuilder,
    ) -> Result<(StatusCode, Vec<u8>), ProviderUnavailable> {
        let unread = |error: SecretStoreError| {
            // Nobody is asked, and nothing can be quoted.
            metrics::emit(&[(Metric::ProviderRequests, 1), (Metric::ProviderFailures, 1)]);
            ProviderUnavailable(format!("its key cannot be read: {error}"))
        };
        let with_key = |secret: &ProviderSecret| request(secret).header("x-api-key", secret.key.expose_secret());
        let secret = self.secret.current().await.map_err(unread)?;
        let refused = match send("relay", with_key(&secret)).await? {
            (StatusCode::UNAUTHORIZED, reply) => (StatusCode::UNAUTHORIZED, reply),
            answered => return Ok(answered),
        };
        let newer = self.secret.newer_than(&secret).await.map_err(unread)?;
        if Arc::ptr_eq(&newer, &secret) { Ok(refused) } else { send("relay", with_key(&newer)).await }
    }

    /// One quote, with a fee of `fee_bps` of what is paid.
    async fn ask_for_quote(&self, request: &QuoteRequest, fee_bps: u16) -> Result<CheckedQuote, QuoteFailure> {
        let body = json!({
            "user": request.payer,
            "recipient": request.expected.recipient,
            "originChainId": request.origin.chain_id,
            "originCurrency": request.origin.address,
            "destinationChainId": request.expected.chain_id,
            "destinationCurrency": request.expected.currency,
            "tradeType": "EXACT_OUTPUT",
            "amount": request.expected.output.to_string(),
            "appFees": if fee_bps > 0 { json!([{"recipient": request.fee_wallet, "fee": fee_bps.to_string()}]) } else { json!([]) },
            // Without refundTo, a refund may go to the recipient. Without ttl, an order can be filled for days.
            "refundTo": request.payer,
            "ttl": request.ttl_seconds,
            "referrer": request.reference,
            // Otherwise, the payer alone executes a swap on one chain, and Relay never indexes it.
            "forceSolverExecution": request.origin.chain_id == request.expected.chain_id,
        });
        let sent = self.send(|_| self.http.post(format!("{}/quote/v2", self.base)).json(&body));
        let (status, reply) = sent.await.map_err(|e| QuoteFailure::Unavailable(e.0))?;
        if !status.is_success() {
            return Err(refusal(status, &reply));
        }
        let quote: Quote = read(&reply).map_err(|e| QuoteFailure::Unavailable(e.0))?;
        quote.checked(request, &self.base)
    }

    async fn ask_about(&self, id: &str, wanted: RecordWanted) -> Result<ProviderPayment, ProviderUnavailable> {
        let mut report = self.report(id, wanted).await?;
        let own_status = report.status;
        let mut superseded_by: Vec<String> = Vec::new();
        while let Some(next) = report.superseded_by.take() {
            if superseded_by.len() == MAX_SUPERSEDED || next == id || superseded_by.contains(&next) {
                return Err(ProviderUnavailable("a payment was superseded too often, or in a circle".into()));
            }
            report = self.report(&next, RecordWanted::Beside).await?;
            if report.status == ProviderStatus::Unknown {
                return Err(ProviderUnavailable("a payment was superseded by one that it does not know".into()));
            }
            superseded_by.push(next);
        }
        Ok(report.of_payment(own_status, superseded_by))
    }

    /// What the provider says about this one id.
    async fn report(&self, id: &str, wanted: RecordWanted) -> Result<Report, ProviderUnavailable> {
        let (status, record) = match wanted {
            RecordWanted::Beside => tokio::try_join!(self.status(id), self.record(id))?,
            RecordWanted::OnSuccess => {
                let status = self.status(id).await?;
                let is_needed = status.as_ref().is_some_and(Status::needs_record);
                let record = if is_needed { self.record(id).await? } else { None };
                (status, record)
            }
        };
        understand(status, record.as_ref())
    }

    /// The status; `None` if the provider says that it does not know the id.
    async fn status(&self, id: &str) -> Result<Option<Status>, ProviderUnavailable> {
        let (status, reply) = self.get("/intents/status/v3", &[("requestId", id)]).await?;
        if status == StatusCode::NOT_FOUND && denies_knowing(&reply) { Ok(None) } else { understood(status, &reply).map(Some) }
    }

    /// The record; `None` if the provider has none.
    async fn record(&self, id: &str) -> Result<Option<Record>, ProviderUnavailable> {
        let (status, reply) = self.get("/requests/v3", &[("id", id)]).await?;
        let records: Records = understood(status, &reply)?;
        Ok(records.requests.into_iter().find(|record| record.id == id))
    }

    /// One page of the successful requests made with our key, and after these, with the one before. Without the key as a filter,
    /// those of everybody are listed.
    async fn list_filled(
        &self,
        since_ms: i64,
        until_ms: Option<i64>,
        page: Option<&str>,
    ) -> Result<FilledPayments, ProviderUnavailable> {
        // A time in whole seconds, and inclusive: what changed in this second is listed again.
        let (since, limit) = (since_ms.div_euclid(1_000).to_string(), LIST_LIMIT.to_string());
        let until = until_ms.map(|until_ms| until_ms.div_euclid(1_000).to_string());
        let (is_previous, page) = match page.map(|page| page.strip_prefix(PREVIOUS_KEY).ok_or(page)) {
            None => (false, None),
            Some(Err(page)) => (false, Some(page)),
            Some(Ok(page)) => (true, Some(page).filter(|page| !page.is_empty())),
        };
        let mut query = vec![
            ("status", "success"),
            ("sortBy", "updatedAt"),
            ("sortDirection", "asc"),
            ("startTimestamp", &since),
            ("limit", &limit),
        ];
        query.extend(until.as_deref().map(|until| ("endTimestamp", until)));
        query.extend(page.map(|page| ("continuation", page)));
        let key = |secret: &ProviderSecret| if is_previous { secret.previous.clone() } else { secret.key.clone() };
        // What was filled before the key ended is listed under it for ever.
        let has_previous = self.secret.current().await.is_ok_and(|secret| secret.previous_at(since_ms).is_some());
        let url = self.url("/requests/v3", &query)?;
        let listed = self.send(|secret| {
            let mut url = url.clone();
            url.query_pairs_mut().append_pair("apiKey", key(secret).expose_secret());
            self.http.get(url)
        });
        let (status, reply) = listed.await?;
        if is_previous && status.is_client_error() {
            // The provider knows the key no more. What was quoted with it is found when it is due.
            return Ok(FilledPayments { payments: Vec::new(), next: None });
        }
        let records: Records = understood(status, &reply)?;
        let mut payments = Vec::with_capacity(records.requests.len());
        for record in records.requests {
            // What was superseded is in the list under its new id, if that was filled.
            let report = record.report()?;
            if report.superseded_by.is_none() {
                let own_status = report.status;
                payments.push((record.id, report.of_payment(own_status, Vec::new())));
            }
        }
        let next = match records.continuation.filter(|next| !next.is_empty()) {
            Some(next) if is_previous => Some(format!("{PREVIOUS_KEY}{next}")),
            None if has_previous && !is_previous => Some(PREVIOUS_KEY.to_owned()),
            next => next,
        };
        Ok(FilledPayments { payments, next })
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<(StatusCode, Vec<u8>), ProviderUnavailable> {
        let url = self.url(path, query)?;
        self.send(|_| self.http.get(url.clone())).await
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url, ProviderUnavailable> {
        let mut url =
            Url::parse(&format!("{}{path}", self.base)).map_err(|_| ProviderUnavailable("its URL is not valid".into()))?;
        url.query_pairs_mut().extend_pairs(query);
        Ok(url)
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

    fn is_payment_id(&self, text: &str) -> bool {
        is_payment_id(text)
    }

    fn quote(&self, request: QuoteRequest) -> BoxFuture<'_, Result<ProviderQuote, QuoteFailure>> {
        Box::pin(async move { fee::quote(&self.costs, &request, |bps| self.ask_for_quote(&request, bps)).await })
    }

    fn payment<'a>(&'a self, id: &'a str, record: RecordWanted) -> BoxFuture<'a, Result<ProviderPayment, ProviderUnavailable>> {
        Box::pin(self.ask_about(id, record))
    }

    fn filled_since<'a>(
        &'a self,
        since_ms: i64,
        until_ms: Option<i64>,
        page: Option<&'a str>,
    ) -> BoxFuture<'a, Result<FilledPayments, ProviderUnavailable>> {
        Box::pin(self.list_filled(since_ms, until_ms, page))
    }

    fn verify_webhook<'a>(
        &'a self,
        headers: &'a HeaderMap,
        raw_body: &'a [u8],
        now_ms: i64,
    ) -> BoxFuture<'a, Result<WebhookEvent, WebhookRefused>> {
        Box::pin(async move {
            let mut verified = Err(WebhookRefused::NotSigned);
            // It may be signed with a key that was put in lately.
            for age_ms in [READ_AGAIN_MS, WEBHOOK_READS_MS] {
                let secret = self.secret.no_older_than(age_ms).await.map_err(|_| WebhookRefused::NotSigned)?;
                for key in secret.keys_at(now_ms) {
                    verified = webhook::verify(key, headers, raw_body, now_ms);
                    if verified != Err(WebhookRefused::NotSigned) {
                        return verified;
                    }
                }
            }
            verified
        })
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
    let began = Instant::now();
    let outcome = trip(to, exchange).await;
    let is_failure = outcome.as_ref().map_or(true, |(status, _)| is_failure(*status));
    let ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
    metrics::emit(&[(Metric::ProviderRequests, 1), (Metric::ProviderFailures, i64::from(is_failure)), (Metric::ProviderTime, ms)]);
    outcome
}

/// Whether the provider did not serve us. A refused key or a limit of ours stops every quote as an outage does.
fn is_failure(status: StatusCode) -> bool {
    let refuses = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS];
    status.is_server_error() || refuses.contains(&status)
}

fn class(error: &reqwest::Error) -> ProviderUnavailable {
    ProviderUnavailable(if error.is_timeout() { "no reply in time" } else { "no connection" }.into())
}

fn understood<T: DeserializeOwned>(status: StatusCode, reply: &[u8]) -> Result<T, ProviderUnavailable> {
    if status.is_success() { read(reply) } else { Err(ProviderUnavailable(format!("status {}", status.as_u16()))) }
}

fn read<T: DeserializeOwned>(reply: &[u8]) -> Result<T, ProviderUnavailable> {
    serde_json::from_slice(reply).map_err(|_| {
        // The request was counted before, as one that was served.
        metrics::emit(&[(Metric::ProviderFailures, 1)]);
        ProviderUnavailable("its reply cannot be parsed".into())
    })
}
