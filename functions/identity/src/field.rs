//! Fields that several requests have, read with errors that name them.

use std::str::FromStr;

use crochet::http::{ApiError, Code};
use crochet_domain::wallet::WalletAddress;

/// A wallet's address.
///
/// # Errors
/// `INVALID_WALLET_ADDRESS` with the reason, naming the field.
pub(crate) fn wallet_address(field: &str, text: &str) -> Result<WalletAddress, ApiError> {
    WalletAddress::parse(text)
        .map_err(|reason| ApiError::new(Code::InvalidWalletAddress).message(reason.to_string()).detail("field", field))
}

/// The id of a profile or a wallet.
///
/// # Errors
/// `INVALID_REQUEST`, naming the field.
pub(crate) fn uuid<T: FromStr>(field: &str, text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| ApiError::field(field, "must be a UUID with hyphens (36 characters)"))
}
