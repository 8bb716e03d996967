//! The only way out to sellers. Nothing here opens a socket to an address that is not public.
//!
//! Three walls: the URL is refused by its text ([`EndpointUrl::parse`]); a name is refused whole when any of its addresses
//! is not public, in the step that dials those very addresses (`connect.rs`), so that nothing can change between check and
//! dial; and redirects, proxies and compression do not exist here. IP literals never reach a resolver, so the text decides
//! about them.

mod address;
mod connect;
mod exchange;
mod failure;
mod hostname;
mod network;
mod self_host;
mod tls;
mod url;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::url::Host;
use bytes::Bytes;
use http::HeaderMap;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use tokio_rustls::TlsConnector;

pub use self::url::{EndpointUrl, MAX_URL_BYTES, OutboundRules, UrlRefused};
pub use address::is_public;
use connect::{ConnectError, Connector};
pub use failure::{FailedAttempt, FailureClass, SellerFault};
pub use network::{Internet, Network};
pub use self_host::SelfHost;

/// Header lines that an answer may have.
pub const MAX_ANSWER_HEADERS: usize = 100;
/// Longest headers of an answer, in bytes, with four for each line that they take.
pub const MAX_ANSWER_HEAD_BYTES: usize = 64 * 1024;
/// Shorter than the idle timeout of common servers (Node and uvicorn: 5 s), so that no call goes out on a socket that the server
/// is closing, nor a frozen function wakes to a dead one.
const IDLE: Duration = Duration::from_secs(4);

/// What a seller answered: nothing of it but status and body goes any further.
#[derive(Debug, Clone)]
pub struct SellerAnswer {
    /// HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Bytes,
    /// From the first byte sent to the last received.
    pub latency: Duration,
}

/// A request to a seller.
#[derive(Debug)]
pub struct SellerRequest<'a> {
    /// Where to.
    pub url: &'a EndpointUrl,
    /// All headers but those of the connection.
    pub headers: HeaderMap,
    /// The bytes to send.
    pub body: Bytes,
    /// Name look-up, connection, request and whole answer together.
    pub timeout: Duration,
    /// Longest answer.
    pub max_bytes: usize,
}

/// The client for sellers.
#[derive(Clone)]
pub struct Outbound {
    client: Client<Connector, Full<Bytes>>,
    connector: Connector,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("rules", &self.connector.rules).finish_non_exhaustive()
    }
}

impl Outbound {
    /// A client that keeps these rules.
    ///
    /// # Panics
    /// Where TLS cannot start: nothing could be called at all.
    #[must_use]
    pub fn new(rules: OutboundRules) -> Self {
        Self::build(rules, Arc::new(Internet), tls::platform())
    }

    /// The same over another network, trusting these certificate authorities and no others. For tests: the rules are kept,
    /// and the network sees what is looked up and dialled.
    #[must_use]
    pub fn over(rules: OutboundRules, network: Arc<dyn Network>, authorities: &[CertificateDer<'static>]) -> Self {
        Self::build(rules, network, tls::trusting(authorities))
    }

    fn build(rules: OutboundRules, network: Arc<dyn Network>, tls: TlsConnector) -> Self {
        let connector = Connector { rules, network, tls };
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .http1_max_headers(MAX_ANSWER_HEADERS)
            .http1_max_buf_size(MAX_ANSWER_HEAD_BYTES)
            .build(connector.clone());
        Self { client, connector }
    }

    /// The rules that this client keeps.
    #[must_use]
    pub fn rules(&self) -> &OutboundRules {
        &self.connector.rules
    }

    /// Looks the URL's name up and refuses it where any of its addresses may not be called. For checks in advance: a call
    /// is checked again when it connects.
    ///
    /// # Errors
    /// [`UrlRefused`] where the name does not resolve, or leads where it may not.
    pub async fn check(&self, url: &EndpointUrl) -> Result<(), UrlRefused> {
        let Some(Host::Domain(name)) = url.0.host() else { return Ok(()) };
        match self.connector.addresses(name).await {
            Ok(_) => Ok(()),
            Err(ConnectError::Refused) => Err(UrlRefused("its host leads to an address that is not public")),
            Err(_) => Err(UrlRefused("its host does not resolve")),
        }
    }

    /// Sends a request and reads the answer, within its deadline and size.
    ///
    /// # Errors
    /// [`SellerFault`].
    pub async fn post(&self, request: SellerRequest<'_>) -> Result<SellerAnswer, SellerFault> {
        self.attempt(request).await.map_err(|failed| failed.fault)
    }

    /// The same; a failure also says whether the seller may have seen the body.
    ///
    /// # Errors
    /// [`FailedAttempt`].
    pub async fn attempt(&self, request: SellerRequest<'_>) -> Result<SellerAnswer, FailedAttempt> {
        let timeout = request.timeout;
        let exchange = exchange::exchange(&self.client, request);
        tokio::time::timeout(timeout, exchange).await.unwrap_or(Err(SellerFault::Timeout.into()))
    }
}

/// A client for the operator's own choices (the payment provider, the sandbox): no rules on addresses, no redirects.
///
/// # Panics
/// Where the TLS library cannot start.
#[must_use]
pub fn operator_client() -> reqwest::Client {
    // One pool for all: building a client reads the machine's certificates.
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    let build = || {
        tls::install_provider();
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(1))
            .timeout(Duration::from_secs(3))
            .no_proxy()
            .build()
            .expect("a client can be built")
    };
    CLIENT.get_or_init(build).clone()
}

#[cfg(test)]
mod tests;
