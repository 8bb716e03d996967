//! `private_endpoint_url`: refused by its text, then by what its name leads to.

use crochet::http::{ApiError, Code};
use crochet::outbound::{EndpointUrl, Outbound, OutboundRules, UrlRefused};

/// The field.
pub(crate) const FIELD: &str = "private_endpoint_url";

/// Reads a URL as far as its text tells.
///
/// # Errors
/// `ENDPOINT_URL_REFUSED` with the rule that was broken.
pub(crate) fn read(text: &str, rules: &OutboundRules) -> Result<EndpointUrl, ApiError> {
    EndpointUrl::parse(text, rules).map_err(refused)
}

/// Looks the URL's name up.
///
/// # Errors
/// `ENDPOINT_URL_REFUSED`.
pub(crate) async fn check(url: Option<&EndpointUrl>, outbound: &Outbound) -> Result<(), ApiError> {
    match url {
        Some(url) => outbound.check(url).await.map_err(refused),
        None => Ok(()),
    }
}

fn refused(UrlRefused(rule): UrlRefused) -> ApiError {
    ApiError::new(Code::EndpointUrlRefused).message(format!("`{FIELD}` cannot be used: {rule}.")).detail("field", FIELD)
}
