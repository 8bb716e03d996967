//! The endpoint behind a listing, without its secret.

use serde::{Deserialize, Serialize};

use crate::ids::{CallId, sha256_hex};
use crate::unknown::Unknown;
use crate::wire_enum::wire_enum;

wire_enum! {
    /// Whether an endpoint accepts calls.
    pub enum EndpointStatus {
        /// It accepts calls.
        Active = "active",
        /// The seller has paused it.
        Paused = "paused",
    }
}

/// Minimum, maximum and default time for a seller's response (milliseconds).
pub const TIMEOUT_MS: (u32, u32, u32) = (1_000, 25_000, 15_000);
/// Minimum, maximum and default of an endpoint's maximum response length (bytes).
pub const RESPONSE_BYTES: (u32, u32, u32) = (1_024, 1_048_576, 262_144);
/// Minimum and maximum of a seller's own rate limit (calls per minute).
pub const CALLS_PER_MINUTE: (u32, u32) = (1, 100_000);

/// An endpoint without its secret: no URL, no header values, no signing secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Whether it accepts calls.
    pub status: EndpointStatus,
    /// Maximum time for a response (milliseconds).
    pub timeout_ms: u32,
    /// Maximum length of a response (bytes).
    pub max_response_bytes: u32,
    /// Maximum calls per minute; `None` for no limit of the seller's own.
    pub rate_limit_per_minute: Option<u32>,
    /// Names of the extra headers that every call carries.
    pub auth_header_names: Vec<String>,
    /// The version of the secret that is in force.
    pub secret_version: String,
    /// That version, if it is kept here. Otherwise it is in Secrets Manager, with the version as its ClientRequestToken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<SealedSecret>,
    /// When that version's signing secret was created (Unix milliseconds).
    pub secret_created_ms: i64,
    /// When the last of the previous signing secrets expires (Unix milliseconds). Until then they sign too.
    pub previous_secret_expires_ms: Option<i64>,
    /// Result of the last test call with this version of the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_test: Option<EndpointTest>,
    /// Since when test calls succeed with this version of the secret (Unix milliseconds); `None` if the last one failed, or there was
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tested_ms: Option<i64>,
    /// The lease of the request that is writing the next version of the secret. There is one at a time, so that no change
    /// overwrites another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<EndpointLease>,
    /// What the next version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Endpoint {
    /// Tells one endpoint from the next: another URL, header, secret or limit gives another mark.
    #[must_use]
    pub fn mark(&self) -> String {
        let mut digest = sha256_hex(format!("{} {} {}", self.secret_version, self.timeout_ms, self.max_response_bytes));
        digest.truncate(8);
        digest
    }
}

/// URL, header and signing secrets of an endpoint, sealed. A key of the keyring opens it, for this listing and version only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSecret {
    /// Id of the key.
    pub key: String,
    /// Nonce and ciphertext, in base64.
    pub text: String,
    /// Since when the endpoint has been sealed, in this version or one before (Unix milliseconds).
    pub since_ms: i64,
}

/// A lease to write the next version of an endpoint's secret. It ends when that version is in force, or when it expires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointLease {
    /// The version being written.
    pub version: String,
    /// When the lease expires, in case its owner died (Unix milliseconds).
    pub until_ms: i64,
}

/// Result of a test call. Never contains an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointTest {
    /// The call's `webhook-id`.
    pub request_id: CallId,
    /// The seller's HTTP status, if it sent one.
    pub seller_status_code: Option<u16>,
    /// Duration (milliseconds).
    pub latency_ms: i64,
    /// Length of the response in bytes, if it arrived completely.
    pub response_bytes: Option<u64>,
    /// Why it failed; `None` if it succeeded.
    pub failure: Option<EndpointTestFailure>,
    /// When it was made (Unix milliseconds).
    pub tested_ms: i64,
    /// What the next version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Why a test call failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointTestFailure {
    /// Wire name of the failure class.
    pub class: String,
    /// One sentence on what the seller can do about it.
    pub message: String,
}
