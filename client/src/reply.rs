//! Replies.

use std::fmt;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::error::UnexpectedReply;

/// A reply: status, headers, body, and the body as JSON.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers as received.
    pub headers: HeaderMap,
    /// The body's bytes as received.
    pub body: Bytes,
    /// The body as JSON, or `null`.
    pub json: Value,
    /// What was sent.
    pub sent: Sent,
    /// Method and path, for messages.
    pub(crate) what: String,
}

/// The request of a reply.
#[derive(Clone)]
pub struct Sent {
    /// The parameters of the query, in their order.
    pub query: Vec<(String, String)>,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body, if there was one.
    pub body: Option<Bytes>,
}

/// Headers and body may contain keys, so they are not printed.
impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sent").field("query", &self.query).finish_non_exhaustive()
    }
}

impl Reply {
    /// Method and path of the request, for example `GET /api/v1/me`.
    #[must_use]
    pub fn request(&self) -> &str {
        &self.what
    }

    /// `data` of the envelope, or `null`.
    #[must_use]
    pub fn data(&self) -> &Value {
        &self.json["data"]
    }

    /// `error` of the envelope, or `null`.
    #[must_use]
    pub fn error(&self) -> &Value {
        &self.json["error"]
    }

    /// `error.code`, or an empty text.
    #[must_use]
    pub fn code(&self) -> &str {
        self.error()["code"].as_str().unwrap_or_default()
    }

    /// A header as text, empty if it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns `data` if the reply has this status.
    ///
    /// # Errors
    /// One sentence that describes the actual reply.
    pub fn expect(&self, status: u16) -> Result<Value, UnexpectedReply> {
        if self.status == status { Ok(self.data().clone()) } else { Err(self.unexpected(&format!("{status}"))) }
    }

    /// Returns `error` if the reply has this status and code.
    ///
    /// # Errors
    /// One sentence that describes the actual reply.
    pub fn expect_error(&self, status: u16, code: &str) -> Result<Value, UnexpectedReply> {
        if self.status == status && self.code() == code {
            return Ok(self.error().clone());
        }
        Err(self.unexpected(&format!("{status} {code}")))
    }

    /// The text at a JSON pointer (`/data/listing/id`).
    ///
    /// # Errors
    /// If there is no text at the pointer.
    pub fn text_at(&self, pointer: &str) -> Result<String, UnexpectedReply> {
        let found = self.json.pointer(pointer).and_then(Value::as_str);
        found
            .map(str::to_owned)
            .ok_or_else(|| UnexpectedReply(format!("{} returned no text at {pointer}: {}", self.what, self.summary())))
    }

    fn unexpected(&self, wanted: &str) -> UnexpectedReply {
        let code = self.code();
        let space = if code.is_empty() { "" } else { " " };
        UnexpectedReply(format!("{} returned {}{space}{code} instead of {wanted}: {}", self.what, self.status, self.summary()))
    }

    /// The error's message, or the start of the body.
    fn summary(&self) -> String {
        if let Some(message) = self.error()["message"].as_str() {
            return message.to_owned();
        }
        let text = self.text();
        if text.is_empty() { "(no body)".to_owned() } else { text.chars().take(300).collect() }
    }
}
