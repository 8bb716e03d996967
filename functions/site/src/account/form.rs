//! Forms that pages of this site send.

use std::fmt::Write;

use axum::body::to_bytes;
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::header;
use crochet::app::App;
use crochet::http::session::check_same_origin;
use crochet::http::{ApiError, Code};
use url::form_urlencoded;

/// Longest form in bytes: a signature of a contract wallet, with room.
const MAX_FORM_BYTES: usize = 64 * 1024;

/// The fields of a form. It comes from a page of this site: the same check as for requests with a session keeps other sites out.
#[derive(Debug, Default)]
pub(super) struct Form {
    fields: Vec<(String, String)>,
}

impl<S: Send + Sync> FromRequest<S> for Form
where
    App: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let app = App::from_ref(state);
        check_same_origin(request.method(), request.headers(), &app.config)?;
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
            return Err(Code::UnsupportedMediaType.into());
        }
        let bytes = to_bytes(request.into_body(), MAX_FORM_BYTES)
            .await
            .map_err(|_| ApiError::new(Code::PayloadTooLarge).detail("max_bytes", MAX_FORM_BYTES))?;
        Ok(Self { fields: form_urlencoded::parse(&bytes).into_owned().collect() })
    }
}

impl Form {
    /// The fields of a query.
    pub(super) fn of_query(query: Option<&str>) -> Self {
        Self { fields: form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect() }
    }

    /// A field, without white space around it; empty if it is missing.
    pub(super) fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    /// All fields, to be sent again.
    pub(super) fn fields(&self) -> &[(String, String)] {
        &self.fields
    }
}

/// A value as a segment of a path or a value of a query.
pub(super) fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    // A segment of dots alone would lead to another path.
    if out.bytes().all(|byte| byte == b'.') { "%00".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_in_their_segment() {
        assert_eq!(escaped("ses_0a"), "ses_0a");
        assert_eq!(escaped("../x?y=1&z#ä"), "..%2Fx%3Fy%3D1%26z%23%C3%A4");
        assert_eq!([escaped(".."), escaped("")], ["%00", "%00"]);
    }

    #[test]
    fn fields_are_trimmed_and_the_first_counts() {
        let form = Form::of_query(Some("a=+x+&a=y&b="));
        assert_eq!([form.get("a"), form.get("b"), form.get("c")], ["x", "", ""]);
    }
}
