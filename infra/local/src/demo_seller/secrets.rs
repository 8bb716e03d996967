//! The seller's secrets and its signature verification.

use std::collections::{HashMap, VecDeque};

use axum::http::HeaderMap;
use crochet::clock::Clock;
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook, WebhookError};

/// Maximum number of kept secrets. The oldest is dropped first.
const CAPACITY: usize = 10_000;
/// Timestamp tolerance in seconds, the same as the library's.
const TOLERANCE_SECONDS: i64 = 300;

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Valid under a secret of this path.
    Good,
    /// No secret is known for this path.
    Unknown,
    /// Invalid under every secret of this path, with the library's message.
    Bad(String),
}

impl Verdict {
    pub(super) fn verified(&self) -> bool {
        *self == Self::Good
    }
}

/// Several listings may share a path, so each path has any number of secrets.
#[derive(Default)]
pub(super) struct Secrets {
    by_path: HashMap<String, Vec<(String, Webhook)>>,
    /// Path and secret, oldest first.
    order: VecDeque<(String, String)>,
}

impl Secrets {
    /// Adds a secret to a path, unless the path already has it.
    ///
    /// # Errors
    /// The library's error, if the text is not a secret.
    pub(super) fn add(&mut self, path: &str, secret: &str) -> Result<(), WebhookError> {
        let webhook = Webhook::new(secret)?;
        let known = self.by_path.entry(path.to_owned()).or_default();
        if known.iter().any(|(text, _)| text == secret) {
            return Ok(());
        }
        known.push((secret.to_owned(), webhook));
        self.order.push_back((path.to_owned(), secret.to_owned()));
        if self.order.len() > CAPACITY
            && let Some((path, secret)) = self.order.pop_front()
            && let Some(known) = self.by_path.get_mut(&path)
        {
            known.retain(|(text, _)| *text != secret);
        }
        Ok(())
    }

    /// Verifies a call to `path` against every secret of that path.
    pub(super) fn verify(&self, path: &str, body: &[u8], headers: &HeaderMap, clock: &Clock) -> Verdict {
        let mut verdict = Verdict::Unknown;
        // The newest first, because it most likely signed.
        for (_, webhook) in self.by_path.get(path).into_iter().flatten().rev() {
            match check(webhook, body, headers, clock) {
                Ok(()) => return Verdict::Good,
                Err(error) => verdict = Verdict::Bad(error.to_string()),
            }
        }
        verdict
    }
}

/// The library's verification, by the stack's clock.
fn check(webhook: &Webhook, body: &[u8], headers: &HeaderMap, clock: &Clock) -> Result<(), WebhookError> {
    if clock.offset_ms() == 0 {
        return webhook.verify(body, headers);
    }
    // The library compares timestamps with the system clock only. Its signature is used here, and the timestamp is compared with
    // the stack's clock.
    let text = |name: &'static str| {
        let value = headers.get(name).ok_or(WebhookError::MissingHeader(name))?;
        value.to_str().map_err(|_| WebhookError::InvalidHeader(name))
    };
    let timestamp: i64 = text(HEADER_WEBHOOK_TIMESTAMP)?.parse().map_err(|_| WebhookError::InvalidTimestamp)?;
    let age = clock.now().unix_timestamp().saturating_sub(timestamp);
    if age > TOLERANCE_SECONDS {
        return Err(WebhookError::TimestampTooOldError);
    }
    if age < -TOLERANCE_SECONDS {
        return Err(WebhookError::FutureTimestampError);
    }
    let expected = webhook.sign(text(HEADER_WEBHOOK_ID)?, timestamp, body)?;
    let signatures = text(HEADER_WEBHOOK_SIGNATURE)?;
    if signatures.split(' ').any(|signature| signature == expected) { Ok(()) } else { Err(WebhookError::InvalidSignature) }
}
