//! The headers and body of a gateway request, parsed once.

use axum::http::HeaderMap;
use bytes::Bytes;
use crochet::http::request::require_json;
use crochet::http::{ApiError, Code};
use crochet::payments::{PaymentProvider, UnreadablePaymentId};
use crochet_domain::call::view::{BodyView, RequestedCurrency, SchemaCheck};
use crochet_domain::currency::OriginCurrency;
use crochet_domain::json::{fingerprint, parse_strict};
use serde_json::Value;

/// Maximum length of a body.
pub(super) const MAX_BODY_BYTES: usize = 256 * 1024;
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const ORIGIN_CURRENCY: &str = "x-crochet-origin-currency";

/// A gateway request's headers and body.
pub(super) struct GatewayRequest {
    pub(super) idempotency_key: Option<String>,
    /// The id of the payment that the request names.
    pub(super) payment_id: Option<String>,
    currency: Option<String>,
    body: Body,
}

enum Body {
    Empty,
    Json(JsonBody),
    Invalid(ApiError),
}

/// A JSON body.
pub(super) struct JsonBody {
    /// The bytes, as they were sent.
    pub(super) bytes: Bytes,
    pub(super) value: Value,
    /// Its fingerprint.
    pub(super) sha256: String,
}

impl GatewayRequest {
    /// Parses the headers. An error in the body is kept until the body is needed.
    ///
    /// # Errors
    /// `INVALID_IDEMPOTENCY_KEY`, `INVALID_PAYMENT_ID`, `PAYMENT_NOT_FOUND`.
    pub(super) fn parse(
        provider: &dyn PaymentProvider,
        headers: &HeaderMap,
        body: Result<Bytes, ApiError>,
    ) -> Result<Self, ApiError> {
        let idempotency_key = single(headers, IDEMPOTENCY_KEY, Code::InvalidIdempotencyKey)?;
        let printable = |key: &String| (1..=255).contains(&key.len()) && key.bytes().all(|b| (0x20..0x7f).contains(&b));
        if idempotency_key.as_ref().is_some_and(|key| !printable(key)) {
            return Err(Code::InvalidIdempotencyKey.into());
        }
        let payment_id = provider.recognise(headers).map_err(|unreadable| match unreadable {
            UnreadablePaymentId::Malformed => Code::InvalidPaymentId,
            UnreadablePaymentId::NotAnId => Code::PaymentNotFound,
        })?;
        Ok(Self {
            idempotency_key,
            payment_id,
            currency: single(headers, ORIGIN_CURRENCY, Code::UnsupportedOriginCurrency)?.map(|text| text.trim().to_owned()),
            body: Body::read(headers, body),
        })
    }

    /// The requested currency.
    pub(super) fn currency(&self) -> RequestedCurrency {
        match self.currency.as_deref().map(OriginCurrency::parse) {
            None => RequestedCurrency::Absent,
            Some(Some(currency)) => RequestedCurrency::Known(currency),
            Some(None) => RequestedCurrency::Unsupported,
        }
    }

    pub(super) fn body_view(&self) -> BodyView {
        match &self.body {
            Body::Empty => BodyView::Empty,
            Body::Invalid(_) => BodyView::Invalid,
            Body::Json(body) => BodyView::Json { sha256: body.sha256.clone(), schema: SchemaCheck::Unchecked },
        }
    }

    /// The JSON body.
    ///
    /// # Errors
    /// `INVALID_JSON`, `UNSUPPORTED_MEDIA_TYPE` or `PAYLOAD_TOO_LARGE`. An empty body is not JSON either.
    pub(super) fn json(&self) -> Result<&JsonBody, ApiError> {
        match &self.body {
            Body::Json(body) => Ok(body),
            Body::Invalid(e) => Err(e.clone()),
            Body::Empty => Err(ApiError::new(Code::InvalidJson).message("The body is empty; send one JSON value.")),
        }
    }
}

impl Body {
    fn read(headers: &HeaderMap, body: Result<Bytes, ApiError>) -> Self {
        let bytes = match body {
            Ok(bytes) if bytes.is_empty() => return Self::Empty,
            Ok(bytes) => bytes,
            Err(e) => return Self::Invalid(e),
        };
        if let Err(e) = require_json(headers) {
            return Self::Invalid(e);
        }
        let parsed = parse_strict(&bytes).and_then(|value| fingerprint(&value).map(|sha256| (value, sha256)));
        match parsed {
            Ok((value, sha256)) => Self::Json(JsonBody { bytes, value, sha256 }),
            Err(e) => Self::Invalid(ApiError::new(Code::InvalidJson).message(format!("The body is not valid JSON: {e}."))),
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
