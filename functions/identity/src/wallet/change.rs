//! The change that a signature for `update_wallet` authorizes: the fields of `PATCH /me/wallets/{id}` without its proof.

use crochet::http::request::List;
use crochet::http::{ApiError, Code};
use crochet::wire::schema;
use crochet_domain::profile::{self, Capability, WalletStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A change to a wallet. A field that is missing or `null` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub(crate) struct WalletChange {
    // In alphabetical order and without missing fields, as RFC 8785 requires.
    /// The new capabilities of the wallet.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "capabilities", default)]
    #[schema(value_type = Option<Vec<schema::Capability>>, max_items = 4)]
    pub(super) capabilities: Option<Vec<Capability>>,
    /// The capabilities for which it becomes the default of its chain family: `payment`, `payout` or both.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "capabilities", default)]
    #[schema(value_type = Option<Vec<schema::Capability>>, max_items = 2)]
    pub(super) default_for: Option<Vec<Capability>>,
    /// The new status of the wallet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::WalletStatus>)]
    pub(super) status: Option<WalletStatus>,
}

impl WalletChange {
    /// The change as canonical JSON (RFC 8785), at most about 130 characters long. A signature is valid for a request if these texts
    /// are equal.
    ///
    /// # Errors
    /// `INVALID_REQUEST` if it changes nothing, repeats a capability, or names a default for a capability that has none.
    pub(crate) fn canonical(&self) -> Result<String, ApiError> {
        self.canonical_at("change.")
    }

    /// As [`WalletChange::canonical`], for fields whose names in the request begin with `place`.
    pub(super) fn canonical_at(&self, place: &str) -> Result<String, ApiError> {
        if *self == (Self { capabilities: None, default_for: None, status: None }) {
            return Err(ApiError::new(Code::InvalidRequest)
                .message("Send at least one of `capabilities`, `default_for` and `status`.")
                .detail("field", place.strip_suffix('.').unwrap_or("status")));
        }
        let field = |name: &str, problem| ApiError::field(&format!("{place}{name}"), problem);
        for (name, list) in [("capabilities", &self.capabilities), ("default_for", &self.default_for)] {
            if list.as_ref().is_some_and(|list| repeats(list)) {
                return Err(field(name, "must not repeat a capability"));
            }
        }
        if self.default_for.iter().flatten().any(|capability| !Capability::WITH_DEFAULT.contains(capability)) {
            return Err(field("default_for", "may only contain payment and payout"));
        }
        serde_json::to_string(self).map_err(ApiError::internal)
    }
}

impl From<WalletChange> for profile::WalletChange {
    fn from(WalletChange { capabilities, default_for, status }: WalletChange) -> Self {
        Self { capabilities, default_for, status }
    }
}

fn repeats(list: &[Capability]) -> bool {
    list.iter().enumerate().any(|(at, capability)| list[..at].contains(capability))
}

/// Deserializes a list of at most four capabilities.
pub(super) fn capabilities<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Capability>>, D::Error> {
    Option::<List<Capability, 4>>::deserialize(deserializer).map(|list| list.map(|list| list.0))
}

#[cfg(test)]
mod tests {
    use crochet::http::request::parse_json;

    use super::*;

    fn canonical(json: &str) -> Result<String, ApiError> {
        parse_json::<WalletChange>(json.as_bytes())?.canonical()
    }

    #[test]
    fn spelling_does_not_matter_and_order_in_lists_does() {
        let written = r#"{"capabilities":["auth","payout"],"default_for":["payout"],"status":"active"}"#;
        for spelling in [written, r#"{ "status": "active", "default_for": ["payout"], "capabilities": ["auth", "pa\u0079out"] }"#] {
            assert_eq!(canonical(spelling).expect("a change"), written);
        }
        assert_eq!(canonical(r#"{"status":"disabled","capabilities":null}"#).expect("a change"), r#"{"status":"disabled"}"#);
        assert_eq!(canonical(r#"{"default_for":[]}"#).expect("a change"), r#"{"default_for":[]}"#);
        assert_ne!(
            canonical(r#"{"capabilities":["auth","payout"]}"#).expect("a change"),
            canonical(r#"{"capabilities":["payout","auth"]}"#).expect("a change")
        );
    }

    #[test]
    fn what_the_patch_would_refuse_is_refused_before_anybody_signs_it() {
        for (json, code) in [
            ("{}", Code::InvalidRequest),
            (r#"{"status":null}"#, Code::InvalidRequest),
            (r#"{"status":"gone"}"#, Code::InvalidRequest),
            (r#"{"capabilities":["auth","auth"]}"#, Code::InvalidRequest),
            (r#"{"capabilities":["auth","auth","auth","auth","auth"]}"#, Code::InvalidRequest),
            (r#"{"default_for":["recovery"]}"#, Code::InvalidRequest),
            (r#"{"address":"0x"}"#, Code::UnknownField),
            (r#"["status"]"#, Code::InvalidRequest),
        ] {
            assert_eq!(canonical(json).expect_err(json).code(), code, "{json}");
        }
    }
}
