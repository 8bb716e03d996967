//! Requests.

use std::fmt::{self, Display};

use bytes::Bytes;
use reqwest::Method;
use serde::Serialize;
use serde_json::Value;

use crate::error::UnexpectedReply;
use crate::reply::{Reply, Sent};

/// A request. Nothing is validated before sending, because tests send invalid requests on purpose.
pub struct Request {
    http: reqwest::Client,
    observer: Option<fn(&Reply)>,
    method: Method,
    url: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<Bytes>,
}

/// Headers and body may contain keys, so they are not printed.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).field("url", &self.url).finish_non_exhaustive()
    }
}

impl Request {
    pub(crate) fn new(http: reqwest::Client, observer: Option<fn(&Reply)>, method: Method, url: String) -> Self {
        Self { http, observer, method, url, query: Vec::new(), headers: Vec::new(), body: None }
    }

    /// `Authorization: Bearer <key>`.
    #[must_use]
    pub fn key(self, api_key: &str) -> Self {
        self.header("authorization", &format!("Bearer {api_key}"))
    }

    /// Adds a header. A repeated name is sent repeatedly.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a header if there is a value.
    #[must_use]
    pub fn header_if(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    /// A query parameter, percent-encoded.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        let joint = if self.url.contains('?') { '&' } else { '?' };
        let value = value.to_string();
        self.url = format!("{}{joint}{}={}", self.url, encode(name), encode(&value));
        self.query.push((name.to_owned(), value));
        self
    }

    /// `Idempotency-Key`.
    #[must_use]
    pub fn idempotency_key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// `X-Crochet-Origin-Currency`: the currency to pay a gateway call in.
    #[must_use]
    pub fn currency(self, currency: &str) -> Self {
        self.header("x-crochet-origin-currency", currency)
    }

    /// `X-Crochet-Relay-Request-Id`: the payment of a gateway call.
    #[must_use]
    pub fn paid_with(self, relay_request_id: &str) -> Self {
        self.header("x-crochet-relay-request-id", relay_request_id)
    }

    /// A JSON body with its content type.
    #[must_use]
    pub fn json(self, body: &impl Serialize) -> Self {
        let bytes = serde_json::to_vec(body).expect("values made for a request can be written as JSON");
        self.header("content-type", "application/json").raw_body(bytes)
    }

    /// A body as it is, without a content type.
    #[must_use]
    pub fn raw_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends the request and reads the whole reply, whatever its status.
    ///
    /// # Errors
    /// If no complete reply arrives.
    pub async fn send(self) -> Result<Reply, UnexpectedReply> {
        let what = format!("{} {}", self.method, path_of(&self.url));
        let mut request = self.http.request(self.method, &self.url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(body) = self.body.clone() {
            request = request.body(body);
        }
        let failed = |error: reqwest::Error| UnexpectedReply(format!("{what} got no reply from {}: {}", self.url, cause(&error)));
        let response = request.send().await.map_err(failed)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.map_err(failed)?;
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let sent = Sent { query: self.query, headers: self.headers, body: self.body };
        let reply = Reply { status, headers, body, json, sent, what };
        if let Some(observer) = self.observer {
            observer(&reply);
        }
        Ok(reply)
    }
}

/// The path of a URL, without host and query.
fn path_of(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.find('/').map_or("/", |slash| &after_scheme[slash..]);
    path.split('?').next().unwrap_or(path)
}

/// The innermost error, which is the specific one ("connection refused").
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// Percent-encodes everything except unreserved characters.
fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_put_together_and_taken_apart() {
        assert_eq!(path_of("http://localhost:9000/api/v1/me?x=1"), "/api/v1/me");
        assert_eq!(encode("a b&ä"), "a%20b%26%C3%A4");
    }
}
