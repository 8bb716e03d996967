//! HTTP to local servers.

use std::sync::Once;
use std::time::Duration;

use reqwest::header::HeaderMap;

/// An HTTP client for plain-text local servers: no proxies, no redirects, no certificates.
///
/// # Panics
/// If reqwest rejects these settings, which it does for no input.
#[must_use]
pub fn plain_http(timeout: Duration) -> reqwest::Client {
    plain_http_with(timeout, HeaderMap::new())
}

/// The same, for a client that sends these headers with every request.
pub(crate) fn plain_http_with(timeout: Duration, headers: HeaderMap) -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    // reqwest requires a TLS provider even for plain text. If the process has already installed one, that one is used.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(timeout)
        .default_headers(headers)
        // Loading the system's certificates takes longer than the rest of the setup.
        .tls_certs_only([])
        .build()
        .expect("these settings are always valid")
}
