//! The provider's errors: `{message, errorCode?}`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error in the provider's format.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: Option<&'static str>,
    message: String,
}

impl Refusal {
    /// 400 with one of the provider's error codes.
    pub(super) fn coded(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: Some(code), message: message.into() }
    }

    /// 400 for a malformed body or query. The provider sends no code with it.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: None, message: message.into() }
    }

    /// 401: a missing or wrong key.
    pub(super) fn unauthorized() -> Self {
        Self { status: StatusCode::UNAUTHORIZED, code: Some("UNAUTHORIZED"), message: "Invalid API key".into() }
    }

    /// 404: no such payment. The provider sends no code with it.
    pub(super) fn unknown() -> Self {
        Self { status: StatusCode::NOT_FOUND, code: None, message: "Request not found".into() }
    }

    /// 503: the provider is down.
    pub(super) fn unavailable() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: Some("SERVICE_UNAVAILABLE"),
            message: "Service temporarily unavailable, please retry".into(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = json!({ "message": self.message });
        if let Some(code) = self.code {
            body["errorCode"] = code.into();
        }
        (self.status, Json(body)).into_response()
    }
}
