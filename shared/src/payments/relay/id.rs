//! The name of this provider, and the forms of its ids.

/// The name of this provider.
pub(in crate::payments) const PROVIDER: &str = "relay";

/// Whether a text may be an id of the provider. Generous, because an id is only ever compared.
pub(super) fn is_request_id(text: &str) -> bool {
    (8..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Whether a text has exactly the form of the provider's ids: `0x` and 64 hex digits.
pub(super) fn is_payment_id(text: &str) -> bool {
    text.strip_prefix("0x").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}
