//! What was asked: headers and body, parsed once.

use axum::http::HeaderMap;
use bytes::Bytes;
use crochet::http::request::require_json;
use crochet::http::{ApiError, Code};
use crochet::payments::relay::is_request_id;
use crochet_domain::currency::OriginCurrency;
use crochet_domain::json::{fingerprint, parse_strict};
use serde_json::Value;

/// Longest body that is forwarded.
pub(crate) const MAX_BODY_BYTES: usize = 256 * 1024;
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const ORIGIN_CURRENCY: &str = "x-crochet-origin-currency";
const PAYMENT_ID: &str = "x-crochet-relay-request-id";

/// A gateway request's headers and body.
pub(crate) struct Incoming {
    pub(crate) idempotency_key: Option<String>,
    pub(crate) payment_id: Option<String>,
    currency: Option<String>,
    pub(crate) body: Body,
}

/// A request's body.
pub(crate) enum Body {
    /// Zero bytes: a price probe.
    Empty,
    /// JSON: as it was sent, parsed, and its fingerprint.
    Json(JsonBody),
    /// Something else.
    Bad(ApiError),
}

/// A JSON body.
#[derive(Clone)]
pub(crate) struct JsonBody {
    pub(crate) bytes: Bytes,
    pub(crate) value: Value,
    pub(crate) sha256: String,
}

impl Incoming {
    /// Reads headers that may be wrong; the body's own fault waits until it matters.
    ///
    /// # Errors
    /// `INVALID_IDEMPOTENCY_KEY`, `INVALID_PAYMENT_ID`.
    pub(crate) fn parse(headers: &HeaderMap, body: Result<Bytes, ApiError>) -> Result<Self, ApiError> {
        let idempotency_key = single(headers, IDEMPOTENCY_KEY, Code::InvalidIdempotencyKey)?;
        let printable = |key: &String| (1..=255).contains(&key.len()) && key.bytes().all(|b| (0x20..0x7f).contains(&b));
        if idempotency_key.as_ref().is_some_and(|key| !printable(key)) {
            return Err(Code::InvalidIdempotencyKey.into());
        }
        let payment_id = single(headers, PAYMENT_ID, Code::InvalidPaymentId)?;
        if payment_id.as_ref().is_some_and(|id| !is_request_id(id)) {
            return Err(Code::PaymentNotFound.into());
        }
        Ok(Self {
            idempotency_key,
            payment_id,
            currency: single(headers, ORIGIN_CURRENCY, Code::UnsupportedOriginCurrency)?.map(|text| text.trim().to_owned()),
            body: Body::read(headers, body),
        })
    }

    /// The currency that was asked for, where one was.
    ///
    /// # Errors
    /// `UNSUPPORTED_ORIGIN_CURRENCY`.
    pub(crate) fn currency(&self) -> Result<Option<OriginCurrency>, ApiError> {
        let Some(text) = &self.currency else { return Ok(None) };
        match OriginCurrency::parse(text) {
            Some(currency) => Ok(Some(currency)),
            None => Err(ApiError::new(Code::UnsupportedOriginCurrency)
                .detail("origin_currencies", OriginCurrency::ALL.map(OriginCurrency::as_str).to_vec())),
        }
    }

    /// The JSON body.
    ///
    /// # Errors
    /// `INVALID_JSON` and the like; an empty body is no JSON either.
    pub(crate) fn json(&self) -> Result<&JsonBody, ApiError> {
        match &self.body {
            Body::Json(body) => Ok(body),
            Body::Bad(e) => Err(e.clone()),
            Body::Empty => Err(ApiError::new(Code::InvalidJson).message("The body is empty; send one JSON value.")),
        }
    }
}

impl Body {
    fn read(headers: &HeaderMap, body: Result<Bytes, ApiError>) -> Self {
        let bytes = match body {
            Ok(bytes) if bytes.is_empty() => return Self::Empty,
            Ok(bytes) => bytes,
            Err(e) => return Self::Bad(e),
        };
        if let Err(e) = require_json(headers) {
            return Self::Bad(e);
        }
        let parsed = parse_strict(&bytes).and_then(|value| fingerprint(&value).map(|sha256| (value, sha256)));
        match parsed {
            Ok((value, sha256)) => Self::Json(JsonBody { bytes, value, sha256 }),
            Err(e) => Self::Bad(ApiError::new(Code::InvalidJson).message(format!("The body is not valid JSON: {e}."))),
        }
    }
}

fn single(headers: &HeaderMap, name: &str, code: Code) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(code.into());
    }
    value.to_str().map(|text| Some(text.to_owned())).map_err(|_| code.into())
}
