//! What came back.

use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::error::UnexpectedReply;

/// An answer: its status, headers and bytes, and the JSON they hold.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers as received.
    pub headers: HeaderMap,
    /// The body's bytes as received.
    pub body: Bytes,
    /// The body as JSON; `null` where it is none.
    pub json: Value,
    /// Method and path, for messages.
    pub(crate) what: String,
}

impl Reply {
    /// `data` of the envelope; `null` where there is none.
    #[must_use]
    pub fn data(&self) -> &Value {
        &self.json["data"]
    }

    /// `error` of the envelope; `null` where there is none.
    #[must_use]
    pub fn error(&self) -> &Value {
        &self.json["error"]
    }

    /// `error.code`; empty where there is none.
    #[must_use]
    pub fn code(&self) -> &str {
        self.error()["code"].as_str().unwrap_or_default()
    }

    /// A header as text; empty where it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// `data`, where the answer has this status.
    ///
    /// # Errors
    /// A sentence with what was answered instead.
    pub fn expect(&self, status: u16) -> Result<Value, UnexpectedReply> {
        if self.status == status { Ok(self.data().clone()) } else { Err(self.unexpected(&format!("{status}"))) }
    }

    /// `error`, where the answer has this status and code.
    ///
    /// # Errors
    /// A sentence with what was answered instead.
    pub fn expect_error(&self, status: u16, code: &str) -> Result<Value, UnexpectedReply> {
        if self.status == status && self.code() == code {
            return Ok(self.error().clone());
        }
        Err(self.unexpected(&format!("{status} {code}")))
    }

    /// The text at a JSON pointer (`/data/listing/id`).
    ///
    /// # Errors
    /// A sentence that names the pointer, where there is no text.
    pub fn text_at(&self, pointer: &str) -> Result<String, UnexpectedReply> {
        let found = self.json.pointer(pointer).and_then(Value::as_str);
        found
            .map(str::to_owned)
            .ok_or_else(|| UnexpectedReply(format!("{} answered without {pointer}: {}", self.what, self.summary())))
    }

    fn unexpected(&self, wanted: &str) -> UnexpectedReply {
        let code = self.code();
        let space = if code.is_empty() { "" } else { " " };
        UnexpectedReply(format!(
            "{} answered {}{space}{code} where {wanted} was expected: {}",
            self.what,
            self.status,
            self.summary()
        ))
    }

    /// The error's own sentence, or the beginning of the body.
    fn summary(&self) -> String {
        if let Some(message) = self.error()["message"].as_str() {
            return message.to_owned();
        }
        let text = self.text();
        if text.is_empty() { "(no body)".to_owned() } else { text.chars().take(300).collect() }
    }
}
