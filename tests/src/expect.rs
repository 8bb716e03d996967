//! Checks that apply to every reply: envelope, request id, recovery advice.

use crochet_client::Reply;
use serde_json::Value;

/// Marker in the URLs of private endpoints. No reply may contain it.
pub(crate) const PRIVATE_MARK: &str = "hush-";

/// Assertions about replies. They panic at the caller's line.
pub trait Replies {
    /// `data` of a success with this status, in the API's envelope.
    fn ok(&self, status: u16) -> &Value;
    /// `error` of a failure with this status and code, in the API's envelope and with recovery advice.
    fn refused(&self, status: u16, code: &str) -> &Value;
    /// Whether this is a replayed reply.
    fn is_replay(&self) -> bool;
}

impl Replies for Reply {
    #[track_caller]
    fn ok(&self, status: u16) -> &Value {
        assert_eq!(self.status, status, "{}", self.text());
        common(self);
        assert_eq!(self.json["success"], true, "{}", self.text());
        assert!(self.json.get("error").is_none(), "a success with an error: {}", self.text());
        assert_eq!(members(&self.json), ["data", "success"], "the envelope has other members");
        self.data()
    }

    #[track_caller]
    fn refused(&self, status: u16, code: &str) -> &Value {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text());
        common(self);
        assert_eq!(self.json["success"], false, "{}", self.text());
        let error = self.error();
        let message = text(error, "message");
        assert!(message.ends_with('.') && !message.contains('\n'), "not a sentence: {message}");
        for member in members(error) {
            assert!(["code", "message", "details", "recovery"].contains(&member.as_str()), "error.{member} is unknown");
        }
        way_out(self, &error["recovery"]);
        for secret in ["am_k_", "whsec_"] {
            let told = self.text().replace("am_k_…", "").replace("am_k_...", "");
            assert!(!told.contains(secret), "an error shows a secret: {told}");
        }
        error
    }

    fn is_replay(&self) -> bool {
        self.header("idempotent-replayed") == "true"
    }
}

#[track_caller]
fn common(reply: &Reply) {
    assert!(!reply.header("x-request-id").is_empty(), "no X-Request-Id: {}", reply.text());
    assert_eq!(reply.header("content-type").split(';').next(), Some("application/json"));
    assert!(!reply.text().contains(PRIVATE_MARK), "a private endpoint URL appears: {}", reply.text());
    if matches!(reply.status, 429 | 503) {
        let seconds = reply.header("retry-after");
        assert!(seconds.parse::<u64>().is_ok_and(|seconds| seconds > 0), "Retry-After is {seconds:?}");
    }
}

#[track_caller]
fn way_out(reply: &Reply, recovery: &Value) {
    assert!(recovery["retryable"].is_boolean(), "recovery.retryable: {recovery}");
    for member in ["next_action", "summary"] {
        assert!(!text(recovery, member).is_empty(), "recovery.{member} is empty");
    }
    for member in ["preserve", "discard"] {
        assert!(recovery[member].is_array(), "recovery.{member}: {recovery}");
    }
    let seconds = &recovery["retry_after_seconds"];
    assert!(seconds.is_null() || seconds.is_u64(), "recovery.retry_after_seconds: {recovery}");
    if matches!(reply.status, 429 | 503) {
        assert_eq!(seconds.to_string(), reply.header("retry-after"), "the header and the body disagree");
    }
    let (docs, reference) = (text(recovery, "docs_url"), text(recovery, "reference_url"));
    let code = reply.code();
    assert!(docs.starts_with("http") && docs.ends_with(&format!("/docs/errors/{code}")), "recovery.docs_url: {docs}");
    let anchor = format!("/docs/api-reference.txt#error-{code}");
    assert!(reference.starts_with("http") && reference.ends_with(&anchor), "recovery.reference_url: {reference}");
}

/// The text at a member.
#[track_caller]
#[must_use]
pub fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_else(|| panic!("{member} is no text in {value}"))
}

/// The whole number at a member.
#[track_caller]
#[must_use]
pub fn number(value: &Value, member: &str) -> i64 {
    value[member].as_i64().unwrap_or_else(|| panic!("{member} is no whole number in {value}"))
}

/// The list at a member.
#[track_caller]
#[must_use]
pub fn list<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value[member].as_array().unwrap_or_else(|| panic!("{member} is no list in {value}"))
}

/// The value at a JSON pointer.
#[track_caller]
#[must_use]
pub fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is missing in {value}"))
}

/// The names of an object's members, sorted.
#[track_caller]
#[must_use]
pub fn members(value: &Value) -> Vec<String> {
    let mut names: Vec<String> = value.as_object().unwrap_or_else(|| panic!("no object: {value}")).keys().cloned().collect();
    names.sort();
    names
}

/// Whether a value is an RFC 3339 time in UTC.
#[must_use]
pub fn is_time(value: &Value) -> bool {
    let Some(text) = value.as_str() else { return false };
    let digits = |range: std::ops::Range<usize>| text.get(range).is_some_and(|part| part.bytes().all(|b| b.is_ascii_digit()));
    text.len() >= 20 && text.ends_with('Z') && &text[4..5] == "-" && &text[10..11] == "T" && digits(0..4) && digits(11..13)
}

/// Whether a value is a UUID of version 7.
#[must_use]
pub fn is_uuid(value: &Value) -> bool {
    let Some(text) = value.as_str() else { return false };
    text.len() == 36 && text.as_bytes()[14] == b'7' && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}
