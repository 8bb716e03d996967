//! Request bodies and queries: strict JSON is parsed into a type, or an error names the field.

use std::fmt;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::codes::Code;
use super::error::ApiError;
use super::fields::Place;
use super::masked::masked;
use crochet_domain::json;

use diagnose::Reading;

mod diagnose;
mod known_fields;

/// Maximum body size in bytes, on every route but the gateway: enough for a listing with both schemas and examples.
pub const MAX_BODY_BYTES: usize = 256 * 1024;
/// Maximum length of a query string, in bytes.
pub const MAX_QUERY_BYTES: usize = 4_096;

/// A JSON body, parsed into `T`. Unknown fields, duplicate keys and values out of range are rejected by name.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        require_json(request.headers())?;
        let body = read_body(request.into_body(), MAX_BODY_BYTES).await?;
        parse_json(&body).map(Self)
    }
}

/// A JSON body as in [`Json`], or no body, which equals `T::default()`.
#[derive(Debug)]
pub struct JsonOrNothing<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for JsonOrNothing<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let body = read_body(body, MAX_BODY_BYTES).await?;
        if body.is_empty() {
            return Ok(Self(T::default()));
        }
        require_json(&parts.headers)?;
        parse_json(&body).map(Self)
    }
}

/// Rejects a `Content-Type` that is not JSON, and a `Content-Encoding` other than `identity`. Without these headers, a body is taken
/// as plain JSON.
///
/// # Errors
/// `UNSUPPORTED_MEDIA_TYPE`.
pub fn require_json(headers: &axum::http::HeaderMap) -> Result<(), ApiError> {
    require_plain(headers)?;
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence = content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        Ok(())
    } else {
        Err(Code::UnsupportedMediaType.into())
    }
}

/// Rejects a body that a header says to be compressed.
fn require_plain(headers: &axum::http::HeaderMap) -> Result<(), ApiError> {
    let is_plain = |coding: &str| matches!(coding.trim().to_ascii_lowercase().as_str(), "" | "identity");
    let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
    if values.all(|value| value.to_str().is_ok_and(|codings| codings.split(',').all(is_plain))) {
        return Ok(());
    }
    Err(ApiError::new(Code::UnsupportedMediaType)
        .message("Send the body uncompressed and without Content-Encoding; compressed bodies are not read.")
        .recovery("summary", "Leave the Content-Encoding header out and send the same body again, uncompressed.")
        .detail("header", "Content-Encoding"))
}

/// Reads a body of at most `max` bytes.
///
/// # Errors
/// `PAYLOAD_TOO_LARGE`, or `INVALID_JSON` if the body ends early.
pub async fn read_body(body: Body, max: usize) -> Result<Bytes, ApiError> {
    match Limited::new(body, max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(e) if e.is::<LengthLimitError>() => Err(ApiError::new(Code::PayloadTooLarge)
            .message(format!("Send a body of at most {max} bytes."))
            .detail("max_bytes", max)),
        Err(e) => Err(ApiError::new(Code::InvalidJson).message("The body ended early; send all of it.").cause(e)),
    }
}

/// Parses a body into `T`.
///
/// # Errors
/// `INVALID_JSON`; `UNKNOWN_FIELD` or `INVALID_REQUEST`, naming every field that is missing, unknown or wrong.
pub fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(ApiError::new(Code::InvalidJson).message("The body is empty; send a JSON object."));
    }
    json::check_strict(body).map_err(|e| ApiError::new(Code::InvalidJson).message(format!("The body is not valid JSON: {e}.")))?;
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(ApiError::new(Code::InvalidRequest).message("The body must be a JSON object.").detail("field", "."));
    }
    parse_fields(body, Place::Body)
}

/// Parses a JSON object into `T`, or tells everything that is wrong with it.
fn parse_fields<T: DeserializeOwned>(body: &[u8], place: Place) -> Result<T, ApiError> {
    match diagnose::read::<T>(body) {
        Reading { parsed: Ok(value), unknown } if unknown.is_empty() => Ok(value),
        reading => Err(diagnose::problems(body, place, reading).into_error()),
    }
}

/// A query string, parsed into `T`. Unknown and repeated parameters are rejected by name.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        if query.len() > MAX_QUERY_BYTES {
            return Err(Code::HeaderTooLarge.into());
        }
        // It becomes a JSON object of strings, so that the same parser names unknown and invalid parameters.
        let mut object = serde_json::Map::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if object.insert(name.clone().into_owned(), value.into_owned().into()).is_some() {
                return Err(ApiError::field(&masked(&name), "is given twice; send it once"));
            }
        }
        let text = serde_json::to_vec(&object).map_err(ApiError::internal)?;
        parse_fields(&text, Place::Query).map(Self)
    }
}

/// Trimmed text of `MIN` to `MAX` characters, without control characters except line breaks and tabs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<const MIN: usize, const MAX: usize>(pub String);

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for Text<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let trimmed = text.trim();
        let length = trimmed.chars().count();
        if length < MIN || length > MAX {
            return Err(serde::de::Error::custom(format_args!("must be {MIN} to {MAX} characters long")));
        }
        if trimmed.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(serde::de::Error::custom("must not contain control characters"));
        }
        Ok(Self(trimmed.to_owned()))
    }
}

/// A list of at most `MAX` items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T, const MAX: usize>(pub Vec<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Vec::<T>::deserialize(deserializer)?;
        if items.len() > MAX {
            return Err(serde::de::Error::custom(format_args!("must have at most {MAX} members")));
        }
        Ok(Self(items))
    }
}

/// Tells a field that is left out from one that is `null`: `None`, `Some(None)`, `Some(Some(value))`. The field needs
/// `#[serde(default)]`.
pub use serde_with::rust::double_option::deserialize as double_option;

/// A value that may be left out, but not be `null`.
///
/// # Errors
/// Those of `T`.
pub fn non_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Parses a query parameter that is a whole number.
///
/// # Errors
/// `INVALID_REQUEST` unless it is from `min` to `max`.
pub fn int_param(field: &str, text: Option<&str>, min: u32, max: u32, default: u32) -> Result<u32, ApiError> {
    let Some(text) = text else { return Ok(default) };
    match text.parse() {
        Ok(number) if (min..=max).contains(&number) && text.bytes().all(|b| b.is_ascii_digit()) => Ok(number),
        _ => Err(ApiError::field(field, &format!("must be a whole number from {min} to {max}"))),
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Display for Text<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
