//! The HTTP client for sellers, and the only one that calls them. It never opens a socket to a non-public address.
//!
//! Three layers enforce this. [`EndpointUrl::parse`] rejects a URL by its text; this covers IP literals, which never reach a
//! resolver. `connect.rs` rejects a host name if any of its addresses is not public, in the same step that dials those
//! addresses, so nothing can change between check and dial. Redirects, proxies and compression are not supported.

mod address;
mod connect;
mod exchange;
mod failure;
mod hostname;
mod network;
mod received;
mod self_host;
mod tls;
mod url;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::url::Host;
use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use tokio_rustls::TlsConnector;

pub use self::url::{EndpointUrl, MAX_URL_BYTES, OutboundRules, UrlRefused};
pub use address::is_public;
use connect::{ConnectError, Connector};
pub use exchange::{MAX_RESPONSE_HEAD_BYTES, SellerRequest, SellerResponse};
pub use failure::{FailedAttempt, FailureClass, SellerFault};
pub use network::{Network, SystemNetwork};
pub use self_host::SelfHost;

/// Maximum number of header lines in a response.
pub const MAX_RESPONSE_HEADERS: usize = 100;
/// How long an idle connection is kept. Shorter than the idle timeout of common servers (Node and uvicorn: 5 s), so that no
/// call is sent on a connection that the server is closing, or that closed while the function was frozen.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// The client for sellers.
#[derive(Clone)]
pub struct Outbound {
    client: Client<Connector, Full<Bytes>>,
    /// Opens a new connection for each request.
    unpooled: Client<Connector, Full<Bytes>>,
    connector: Connector,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("rules", &self.connector.rules).finish_non_exhaustive()
    }
}

impl Outbound {
    /// A client that enforces `rules` on the system's network.
    ///
    /// # Panics
    /// If TLS cannot be initialised: no seller could be called.
    #[must_use]
    pub fn new(rules: OutboundRules) -> Self {
        Self::build(rules, Arc::new(SystemNetwork), tls::platform())
    }

    /// The same on another network, trusting only these certificate authorities. For tests: the rules are enforced, and the
    /// network sees every lookup and dial.
    #[must_use]
    pub fn over(rules: OutboundRules, network: Arc<dyn Network>, authorities: &[CertificateDer<'static>]) -> Self {
        Self::build(rules, network, tls::trusting(authorities))
    }

    fn build(rules: OutboundRules, network: Arc<dyn Network>, tls: TlsConnector) -> Self {
        let connector = Connector { rules, network, tls };
        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .pool_timer(TokioTimer::new())
            .http1_max_headers(MAX_RESPONSE_HEADERS)
            .http1_max_buf_size(MAX_RESPONSE_HEAD_BYTES);
        let client = builder.build(connector.clone());
        let unpooled = builder.pool_max_idle_per_host(0).build(connector.clone());
        Self { client, unpooled, connector }
    }

    /// The rules that this client enforces.
    #[must_use]
    pub fn rules(&self) -> &OutboundRules {
        &self.connector.rules
    }

    /// Resolves the URL's host and rejects it if any of its addresses is not allowed. This is an early check: every call is
    /// checked again when it connects.
    ///
    /// # Errors
    /// [`UrlRefused`] if the host does not resolve, or resolves to an address that is not allowed.
    pub async fn check(&self, url: &EndpointUrl) -> Result<(), UrlRefused> {
        let Some(Host::Domain(name)) = url.0.host() else { return Ok(()) };
        match self.connector.addresses(name).await {
            Ok(_) => Ok(()),
            Err(ConnectError::Refused) => Err(UrlRefused("its host resolves to an address that is not public")),
            Err(_) => Err(UrlRefused("its host does not resolve")),
        }
    }

    /// Sends a POST request and reads the response, within the request's deadline and size limit.
    ///
    /// If a kept connection dies before a byte of the response, the same request is sent once more, on a new connection.
    ///
    /// # Errors
    /// [`FailedAttempt`].
    pub async fn post(&self, request: SellerRequest<'_>) -> Result<SellerResponse, FailedAttempt> {
        let timeout = request.timeout;
        let exchange = exchange::exchange(&self.client, &self.unpooled, request);
        tokio::time::timeout(timeout, exchange).await.unwrap_or(Err(SellerFault::Timeout.into()))
    }
}

/// The HTTP client for services that the operator chose, such as the payment provider. It may call any address and follows no
/// redirects.
///
/// # Panics
/// If TLS cannot be initialised.
#[must_use]
pub fn operator_client() -> reqwest::Client {
    // One client for the whole process: building one reads the system's certificates.
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    let build = || {
        tls::install_provider();
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(1))
            .timeout(Duration::from_secs(3))
            .no_proxy()
            .build()
            .expect("the HTTP client can be built")
    };
    CLIENT.get_or_init(build).clone()
}

#[cfg(test)]
mod tests;
