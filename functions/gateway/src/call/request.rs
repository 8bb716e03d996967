//! The headers and body of a gateway request, parsed once.

use axum::http::HeaderMap;
use bytes::Bytes;
use crochet::config::EDGE_HEADERS;
use crochet::http::request::require_json;
use crochet::http::{ApiError, Code};
use crochet::payments::{PaymentProvider, UnreadablePaymentId};
use crochet::wire::payment::PAYMENT_ID_HEADER;
use crochet_domain::call::view::{BodyView, RequestedCurrency, SchemaCheck};
use crochet_domain::currency::OriginCurrency;
use crochet_domain::json::{body_fingerprint, parse_strict};
use serde_json::Value;

/// Maximum length of a body.
pub(super) const MAX_BODY_BYTES: usize = 256 * 1024;
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const ORIGIN_CURRENCY: &str = "x-crochet-origin-currency";
/// The headers that a call can have, as documents write them.
pub(super) const KNOWN_HEADERS: [&str; 3] = ["X-Crochet-Origin-Currency", PAYMENT_ID_HEADER, "Idempotency-Key"];
/// Begins the names of our own headers.
const OUR_PREFIX: &str = "x-crochet-";

/// A gateway request's headers and body.
pub(super) struct GatewayRequest {
    pub(super) idempotency_key: Option<String>,
    /// The id of the payment that the request names.
    pub(super) payment_id: Option<String>,
    /// Ids of payments where none is expected: in the body, or under another header.
    pub(super) misplaced: Vec<MisplacedId>,
    /// Whether a payment id was sent that cannot be one.
    pub(super) has_mangled_id: bool,
    /// Names of headers that look like ours, and are not.
    pub(super) unknown_headers: Vec<String>,
    currency: Option<String>,
    body: Body,
}

/// A text with the form of a payment id, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MisplacedId {
    pub(super) id: String,
    /// The header's name; `None` for the body.
    pub(super) header: Option<String>,
}

/// Maximum number of misplaced ids that are looked up.
const MAX_MISPLACED: usize = 4;

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
    /// `INVALID_IDEMPOTENCY_KEY`, `INVALID_PAYMENT_ID`.
    pub(super) fn parse(
        provider: &dyn PaymentProvider,
        headers: &HeaderMap,
        body: Result<Bytes, ApiError>,
    ) -> Result<Self, ApiError> {
        let idempotency_key = single(headers, IDEMPOTENCY_KEY, Code::InvalidIdempotencyKey)?;
        if idempotency_key.as_ref().is_some_and(|key| !is_idempotency_key(key)) {
            return Err(Code::InvalidIdempotencyKey.into());
        }
        let payment_id = provider.recognise(headers).map_err(|unreadable| match unreadable {
            UnreadablePaymentId::Malformed => Code::InvalidPaymentId,
            UnreadablePaymentId::NotAnId => Code::PaymentNotFound,
        });
        let (payment_id, mangled) = match payment_id {
            Err(Code::PaymentNotFound) => (None, true),
            read => (read?, false),
        };
        let body = Body::read(headers, body);
        let unknown_headers = unknown_headers(headers);
        let misplaced = if payment_id.is_none() { misplaced(provider, headers, &unknown_headers, &body) } else { Vec::new() };
        Ok(Self {
            idempotency_key,
            payment_id,
            misplaced,
            has_mangled_id: mangled,
            unknown_headers,
            currency: single(headers, ORIGIN_CURRENCY, Code::UnsupportedOriginCurrency)?.map(|text| text.trim().to_owned()),
            body,
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
        let parsed = parse_strict(&bytes).and_then(|value| body_fingerprint(&bytes, &value).map(|sha256| (value, sha256)));
        match parsed {
            Ok((value, sha256)) => Self::Json(JsonBody { bytes, value, sha256 }),
            Err(e) => Self::Invalid(ApiError::new(Code::InvalidJson).message(format!("The body is not valid JSON: {e}."))),
        }
    }
}

/// Headers with our prefix, or about payments, that no request of this API has. Those of an edge in front of it are none of the caller's.
fn unknown_headers(headers: &HeaderMap) -> Vec<String> {
    let payment_id = PAYMENT_ID_HEADER.to_ascii_lowercase();
    let bare = payment_id.trim_start_matches(OUR_PREFIX);
    let is_ours = |name: &str| name.starts_with(OUR_PREFIX) || name.starts_with("payment") || name.ends_with(bare);
    let is_known = |name: &str| name == ORIGIN_CURRENCY || name == payment_id || EDGE_HEADERS.contains(&name);
    let mut unknown: Vec<String> =
        headers.keys().map(|name| name.as_str().to_owned()).filter(|name| is_ours(name) && !is_known(name)).collect();
    unknown.sort();
    unknown
}

/// Finds ids of payments under these headers and in the body's strings.
fn misplaced(provider: &dyn PaymentProvider, headers: &HeaderMap, names: &[String], body: &Body) -> Vec<MisplacedId> {
    let mut found: Vec<MisplacedId> = names
        .iter()
        .filter_map(|name| Some((name, headers.get(name)?.to_str().ok()?)))
        .filter(|(_, value)| provider.is_payment_id(value))
        .map(|(name, value)| MisplacedId { id: value.to_owned(), header: Some(name.clone()) })
        .collect();
    if let Body::Json(body) = body {
        collect_ids(provider, &body.value, &mut found);
    }
    found.truncate(MAX_MISPLACED);
    found
}

fn collect_ids(provider: &dyn PaymentProvider, value: &Value, found: &mut Vec<MisplacedId>) {
    match value {
        Value::String(text) if found.len() < MAX_MISPLACED && provider.is_payment_id(text) => {
            found.push(MisplacedId { id: text.clone(), header: None });
        }
        Value::Array(items) => items.iter().for_each(|item| collect_ids(provider, item, found)),
        Value::Object(members) => members.values().for_each(|member| collect_ids(provider, member, found)),
        _ => {}
    }
}

/// A comma is refused because API Gateway joins the values of repeated headers with one.
fn is_idempotency_key(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b',')
}

fn single(headers: &HeaderMap, name: &str, code: Code) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(code.into());
    }
    value.to_str().map(|text| Some(text.to_owned())).map_err(|_| code.into())
}
