//! Parsers for fields that several requests have. Their errors name the field.

use std::str::FromStr;

use crochet::http::request::Text;
use crochet::http::{ApiError, Code, Result};
use crochet_domain::name::check_name;
use crochet_domain::wallet::WalletAddress;

/// Parses a wallet's address.
///
/// # Errors
/// `INVALID_WALLET_ADDRESS` with the reason, naming the field.
pub(crate) fn wallet_address(field: &str, text: &str) -> Result<WalletAddress> {
    WalletAddress::parse(text)
        .map_err(|reason| ApiError::new(Code::InvalidWalletAddress).message(reason.to_string()).detail("field", field))
}

/// Parses the id of a profile or wallet.
///
/// # Errors
/// `INVALID_REQUEST`, naming the field.
pub(crate) fn uuid<T: FromStr>(field: &str, text: &str) -> Result<T> {
    text.parse().map_err(|_| ApiError::field(field, "must be a UUID with hyphens (36 characters)"))
}

/// Checks that a text can be a name: one visible line without direction controls.
///
/// # Errors
/// `INVALID_REQUEST`, naming the field.
pub(crate) fn one_line<const MIN: usize, const MAX: usize>(field: &str, text: Text<MIN, MAX>) -> Result<String> {
    check_name(&text.0).map_err(|problem| ApiError::field(field, &problem.to_string()))?;
    Ok(text.0)
}
