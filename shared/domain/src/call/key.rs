//! Where a call is stored, and what names it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{CallId, ListingId};

/// The key of a stored call: its payment (`provider:id`), so that a paid retry finds it in one read; a free call's own id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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

    /// Provider and payment id; `None` for a free call.
    #[must_use]
    pub fn payment(&self) -> Option<(&str, &str)> {
        self.0.split_once(':')
    }
}

impl fmt::Display for CallKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The first name of what a buyer wants once. Its idempotency record is stored under it; every later name points to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallName {
    /// The `Idempotency-Key` of the first request.
    Key(String),
    /// Listing and body, for a first request without a key. Once a call has ended, the same body is a new call.
    Body {
        /// The listing.
        listing: ListingId,
        /// The body's fingerprint.
        sha256: String,
    },
}

impl CallName {
    /// The `Idempotency-Key`, if that is the name.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Key(key) => Some(key),
            Self::Body { .. } => None,
        }
    }
}
