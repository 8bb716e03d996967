//! Where a call is stored, and what identifies it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::currency::OriginCurrency;
use crate::ids::{CallId, ListingId};

/// The key of a stored call: its payment (`provider:id`), so that a paid retry finds it in one read; a free call's own id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallKey(String);

impl CallKey {
    /// The key of the call that this payment pays for.
    #[must_use]
    pub fn of_payment(provider: &str, payment_id: &str) -> Self {
        Self(format!("{provider}:{payment_id}"))
    }

    /// The key of a free call.
    #[must_use]
    pub fn of_free_call(id: CallId) -> Self {
        Self(id.to_string())
    }

    /// Parses a stored key.
    #[must_use]
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The stored text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CallKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What identifies a call, apart from its payment id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum IdempotencyKey {
    /// The `Idempotency-Key` header of a request.
    Client(String),
    /// The payment of an earlier call that this free call replaces, after the listing became free.
    Payment(CallKey),
}

impl IdempotencyKey {
    /// The text that the store hashes. A control character keeps the two kinds apart, because no header value contains one.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Client(key) => key.clone(),
            Self::Payment(call) => format!("\u{1}{call}"),
        }
    }

    /// The header's value, if the key comes from a client.
    #[must_use]
    pub fn client(&self) -> Option<&str> {
        match self {
            Self::Client(key) => Some(key),
            Self::Payment(_) => None,
        }
    }
}

/// The idempotency record of a key: its call, and what the key is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    /// The call.
    pub call: CallKey,
    /// The listing that the key is bound to.
    pub listing: ListingId,
    /// The body that the key is bound to.
    pub body_sha256: String,
    /// The currency that the key is bound to; `None` for a free call.
    pub currency: Option<OriginCurrency>,
    /// Version of the record.
    pub version: u64,
}

/// A buyer's quotes for one listing and body, made without an idempotency key: at most one per currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenQuotesForBody {
    /// Currency and call, newest first.
    pub quotes: Vec<(OriginCurrency, CallKey)>,
    /// Version of the record.
    pub version: u64,
}

impl OpenQuotesForBody {
    /// The call quoted in this currency.
    #[must_use]
    pub fn in_currency(&self, currency: Option<OriginCurrency>) -> Option<&CallKey> {
        self.quotes.iter().find(|(quoted, _)| Some(*quoted) == currency).map(|(_, call)| call)
    }

    /// The next version, in which `call` is the quote for `currency`.
    #[must_use]
    pub fn with(mut self, currency: OriginCurrency, call: CallKey) -> Self {
        self.quotes.retain(|(other, _)| *other != currency);
        self.quotes.insert(0, (currency, call));
        self.version += 1;
        self
    }
}
