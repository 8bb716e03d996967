//! The error that every handler returns: a message for the caller and a cause for the operator.

use std::borrow::Cow;
use std::fmt;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::codes::Code;
use crate::config::Config;

/// An error response.
///
/// Its cause is logged once, when the response leaves. It is never sent.
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
    not_ours: bool,
    /// What is wrong with the field in `details.field`, if there is one.
    field_problem: &'static str,
}

impl ApiError {
    /// The error of this code, with the code's message.
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
                not_ours: false,
                field_problem: "invalid",
            }),
        }
    }

    /// `INVALID_REQUEST` for a field. `problem` continues after the field's name ("must be …").
    #[must_use]
    pub fn field(field: &str, problem: &str) -> Self {
        Self::new(Code::InvalidRequest).message(format!("`{field}` {problem}.")).detail("field", field)
    }

    /// `INVALID_REQUEST` for a field that is missing. `why` continues after "is required" ("for a challenge for link_wallet").
    #[must_use]
    pub fn required(field: &str, why: &str) -> Self {
        let space = if why.is_empty() { "" } else { " " };
        let mut error = Self::field(field, &format!("is required{space}{why}"));
        error.parts.field_problem = "missing";
        error.recovery("summary", format!("Add `{field}` and send the request again."))
    }

    /// `INVALID_REQUEST` for a field that this request cannot have. `why` continues after "must be left out" ("if immediate is true").
    #[must_use]
    pub fn unexpected(field: &str, why: &str) -> Self {
        let mut error = Self::field(field, &format!("must be left out {why}"));
        error.parts.field_problem = "unexpected";
        error.recovery("summary", format!("Leave `{field}` out and send the request again."))
    }

    /// `INTERNAL_ERROR`, with a cause for the operator.
    #[must_use]
    pub fn internal(internal: impl fmt::Display) -> Self {
        Self::new(Code::InternalError).cause(internal)
    }

    /// Replaces the code's message by a more specific one.
    #[must_use]
    pub fn message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.parts.message = message.into();
        self
    }

    /// Adds a member to `details`.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.parts.details.insert(name.to_owned(), value.into());
        self
    }

    /// Sets a member of `recovery`.
    #[must_use]
    pub fn recovery(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.parts.recovery.insert(name.to_owned(), value.into());
        self
    }

    /// Sets `data`, which is sent beside the error: the payment of a 402.
    #[must_use]
    pub fn data(mut self, data: Value) -> Self {
        self.parts.data = Some(data);
        self
    }

    /// Sets the `Set-Cookie` header.
    #[must_use]
    pub fn set_cookie(mut self, cookie: &str) -> Self {
        self.parts.set_cookie = HeaderValue::from_str(cookie).ok();
        self
    }

    /// Sets the seconds to wait: `Retry-After` and `recovery.retry_after_seconds`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.parts.retry_after_seconds = Some(seconds);
        self
    }

    /// Sets the cause for the operator's log. It must not contain a key, secret, body or endpoint URL.
    #[must_use]
    pub fn cause(mut self, internal: impl fmt::Display) -> Self {
        self.parts.internal = Some(internal.to_string());
        self
    }

    /// Marks an error that an operator must look into.
    #[must_use]
    pub fn alarm(mut self) -> Self {
        self.parts.alarm = true;
        self
    }

    /// Marks an error that is no failure of ours, whatever its code says: the operator has chosen it, or a seller has to mend it.
    #[must_use]
    pub fn not_ours(mut self) -> Self {
        self.parts.not_ours = true;
        self
    }

    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.parts.code
    }

    /// The message for the caller.
    #[must_use]
    pub fn told(&self) -> &str {
        &self.parts.message
    }

    /// The field that is to blame.
    #[must_use]
    pub fn named_field(&self) -> Option<&str> {
        self.parts.details.get("field").and_then(Value::as_str)
    }

    /// The cause for the operator's log.
    #[must_use]
    pub fn operator_message(&self) -> Option<&str> {
        self.parts.internal.as_deref()
    }

    /// Whether an operator must look into it.
    #[must_use]
    pub fn is_alarm(&self) -> bool {
        self.parts.alarm
    }

    /// Whether it is a failure of ours: a status of 500 or above that neither its code nor [`ApiError::not_ours`] gives to others.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        let Parts { code, not_ours, .. } = &*self.parts;
        code.status().is_server_error() && !code.is_upstream() && !not_ours
    }

    /// Seconds to wait before a retry. A 429 and a 503 always have some.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        let always = matches!(self.parts.code.status().as_u16(), 429 | 503).then_some(1);
        self.parts.retry_after_seconds.or(always)
    }

    /// The response body.
    #[must_use]
    pub fn body(&self, config: &Config) -> Value {
        let Parts { code, message, data, .. } = &*self.parts;
        let mut error = json!({ "code": code.as_str(), "message": message });
        if let Value::Object(error) = &mut error {
            let details = self.details();
            if !details.is_empty() {
                error.insert("details".into(), Value::Object(details));
            }
            error.insert("recovery".into(), self.advice(config));
        }
        let mut body = json!({ "success": false, "error": error });
        if let (Value::Object(body), Some(data)) = (&mut body, data) {
            body.insert("data".into(), data.clone());
        }
        body
    }

    /// The response body as a problem document (RFC 9457), which has the members of the usual body too. `instance` names this
    /// occurrence.
    #[must_use]
    pub fn problem(&self, config: &Config, instance: &str) -> Value {
        let Parts { code, message, .. } = &*self.parts;
        let mut body = json!({
            "type": config.absolute(&docs_path(*code)),
            "title": code.message(),
            "status": code.status().as_u16(),
            "detail": message,
            "instance": format!("urn:crochet:request:{instance}"),
        });
        if let (Value::Object(body), Value::Object(usual)) = (&mut body, self.body(config)) {
            body.extend(usual);
        }
        body
    }

    /// A field that is to blame is also the one row of `fields`, unless the error lists several.
    fn details(&self) -> Map<String, Value> {
        let mut details = self.parts.details.clone();
        if let Some(field) = self.named_field()
            && !details.contains_key("fields")
        {
            let row = json!({ "field": field, "problem": self.parts.field_problem, "message": self.parts.message });
            details.insert("fields".into(), json!([row]));
        }
        details
    }

    fn advice(&self, config: &Config) -> Value {
        let code = self.parts.code;
        let usual = code.recovery();
        let mut advice = json!({
            "retryable": usual.retryable,
            "next_action": usual.next_action,
            "summary": usual.summary,
            "preserve": usual.preserve,
            "discard": usual.discard,
            "retry_after_seconds": self.retry_after_seconds(),
        });
        if let Value::Object(members) = &mut advice {
            members.extend(self.parts.recovery.clone());
            members.insert("docs_url".into(), config.absolute(&docs_path(code)).into());
            let reference = config.absolute("/docs/api-reference.txt");
            members.insert("reference_url".into(), format!("{reference}#error-{}", code.as_str()).into());
        }
        advice
    }
}

/// Where the page about a code is.
fn docs_path(code: Code) -> String {
    format!("/docs/errors/{}", code.as_str())
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

/// The outermost layer writes the body: it knows the configuration and the request id.
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
