//! The error every handler returns: one message for the caller, one for the operator.

use std::borrow::Cow;
use std::fmt;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::codes::Code;
use crate::config::Config;

/// A failure on its way to the caller.
///
/// `internal` is logged once, where the response leaves, and never sent.
#[derive(Clone)]
pub struct ApiError {
    parts: Box<Parts>,
}

#[derive(Clone)]
struct Parts {
    code: Code,
    message: Cow<'static, str>,
    details: Map<String, Value>,
    recovery: Map<String, Value>,
    data: Option<Value>,
    set_cookie: Option<HeaderValue>,
    retry_after_seconds: Option<u64>,
    internal: Option<String>,
    alarm: bool,
}

impl ApiError {
    /// The error of this code, with the catalogue's message.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self {
            parts: Box::new(Parts {
                code,
                message: Cow::Borrowed(code.message()),
                details: Map::new(),
                recovery: Map::new(),
                data: None,
                set_cookie: None,
                retry_after_seconds: None,
                internal: None,
                alarm: false,
            }),
        }
    }

    /// A field of the request is wrong: `problem` reads on from the field's name ("must be …").
    #[must_use]
    pub fn field(field: &str, problem: &str) -> Self {
        Self::new(Code::InvalidRequest).message(format!("`{field}` {problem}.")).detail("field", field)
    }

    /// A part of ours failed; `internal` tells the operator what.
    #[must_use]
    pub fn internal(internal: impl fmt::Display) -> Self {
        Self::new(Code::InternalError).cause(internal)
    }

    /// A sentence more exact than the catalogue's.
    #[must_use]
    pub fn message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.parts.message = message.into();
        self
    }

    /// Adds to `details`.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.parts.details.insert(name.to_owned(), value.into());
        self
    }

    /// Replaces a member of `recovery`, or adds one.
    #[must_use]
    pub fn recovery(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.parts.recovery.insert(name.to_owned(), value.into());
        self
    }

    /// What stands under `data` beside the error (a 402's payment).
    #[must_use]
    pub fn data(mut self, data: Value) -> Self {
        self.parts.data = Some(data);
        self
    }

    /// The `Set-Cookie` that comes with it.
    #[must_use]
    pub fn set_cookie(mut self, cookie: &str) -> Self {
        self.parts.set_cookie = HeaderValue::from_str(cookie).ok();
        self
    }

    /// Seconds to wait: `Retry-After` and `recovery.retry_after_seconds`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.parts.retry_after_seconds = Some(seconds);
        self
    }

    /// What the operator must know. Never a key, secret, body or endpoint URL.
    #[must_use]
    pub fn cause(mut self, internal: impl fmt::Display) -> Self {
        self.parts.internal = Some(internal.to_string());
        self
    }

    /// Marks this as something an operator must look at.
    #[must_use]
    pub fn alarm(mut self) -> Self {
        self.parts.alarm = true;
        self
    }

    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.parts.code
    }

    /// What the operator must know, if anything.
    #[must_use]
    pub fn operator_message(&self) -> Option<&str> {
        self.parts.internal.as_deref()
    }

    /// Whether an operator must look at it.
    #[must_use]
    pub fn is_alarm(&self) -> bool {
        self.parts.alarm
    }

    /// Seconds to wait, where waiting helps.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        let always = matches!(self.parts.code.status().as_u16(), 429 | 503).then_some(1);
        self.parts.retry_after_seconds.or(always)
    }

    /// The envelope, as this deployment sends it.
    #[must_use]
    pub fn body(&self, config: &Config) -> Value {
        let Parts { code, message, details, recovery, data, .. } = &*self.parts;
        let usual = code.recovery();
        let reference = config.absolute("/docs/api-reference.txt");
        let mut way_out = json!({
            "retryable": usual.retryable,
            "next_action": usual.next_action,
            "summary": usual.summary,
            "preserve": usual.preserve,
            "discard": usual.discard,
            "retry_after_seconds": self.retry_after_seconds(),
        });
        if let Value::Object(way_out) = &mut way_out {
            way_out.extend(recovery.clone());
            let action = way_out.get("next_action").and_then(Value::as_str).unwrap_or_default().to_owned();
            way_out.insert("docs_url".into(), format!("{reference}#action-{action}").into());
            way_out.insert("reference_url".into(), format!("{reference}#error-{}", code.as_str()).into());
        }
        let mut error = json!({ "code": code.as_str(), "message": message });
        if let Value::Object(error) = &mut error {
            if !details.is_empty() {
                error.insert("details".into(), Value::Object(details.clone()));
            }
            error.insert("recovery".into(), way_out);
        }
        let mut body = json!({ "success": false, "error": error });
        if let (Value::Object(body), Some(data)) = (&mut body, data) {
            body.insert("data".into(), data.clone());
        }
        body
    }
}

impl From<Code> for ApiError {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError").field("code", &self.parts.code).field("internal", &self.parts.internal).finish_non_exhaustive()
    }
}

/// The body is written by the outermost layer, which knows the configuration and the request's id.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.parts.code.status().into_response();
        if let Some(cookie) = self.parts.set_cookie.clone() {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response.extensions_mut().insert(self);
        response
    }
}
