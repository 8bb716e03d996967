//! `private_endpoint_url`: checked first by its text, then by the addresses of its host.

use crochet::http::{ApiError, Code};
use crochet::outbound::{EndpointUrl, Outbound, OutboundRules, UrlRefused};
use secrecy::{ExposeSecret, SecretString};

/// Name of the field.
pub(crate) const FIELD: &str = "private_endpoint_url";

/// Parses a URL, without a name lookup.
///
/// # Errors
/// `ENDPOINT_URL_REFUSED` with the rule that it breaks.
pub(crate) fn parse(text: &SecretString, rules: &OutboundRules) -> Result<EndpointUrl, ApiError> {
    EndpointUrl::parse(text.expose_secret(), rules).map_err(|refused| url_refused(refused, rules))
}

/// Resolves the URL's host and checks its addresses.
///
/// # Errors
/// `ENDPOINT_URL_REFUSED`.
pub(crate) async fn check_host(url: &EndpointUrl, outbound: &Outbound) -> Result<(), ApiError> {
    outbound.check(url).await.map_err(|refused| url_refused(refused, outbound.rules()))
}

fn url_refused(UrlRefused(rule): UrlRefused, rules: &OutboundRules) -> ApiError {
    let allowed = rules.in_words();
    ApiError::new(Code::EndpointUrlRefused)
        .message(format!("`{FIELD}` cannot be used: {rule}. {allowed}"))
        .detail("field", FIELD)
        .recovery("summary", format!("{allowed} Correct `{FIELD}` and send the request again."))
}
