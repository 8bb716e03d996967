//! The only way out to sellers. Nothing here opens a socket to an address that is not public.
//!
//! Three walls: the URL is refused by its text ([`EndpointUrl::parse`]); a name is refused whole when any of its addresses
//! is not public, inside the resolver that the connection itself uses, so that nothing can change between check and dial;
//! and redirects, proxies and compression are off. IP literals never reach a resolver, so the text decides about them.

mod address;
mod failure;
mod url;

use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Once, OnceLock};
use std::time::{Duration, Instant};

use ::url::Host;
use bytes::Bytes;
use http::HeaderMap;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

pub use self::url::{EndpointUrl, MAX_URL_BYTES, OutboundRules, UrlRefused};
pub use address::is_public;
pub use failure::{FailureClass, SellerFault};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

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
#[derive(Clone, Debug)]
pub struct Outbound {
    client: reqwest::Client,
    rules: OutboundRules,
}

impl Outbound {
    /// A client that keeps these rules.
    ///
    /// # Panics
    /// Where the TLS library cannot start: nothing could be called at all.
    #[must_use]
    pub fn new(rules: OutboundRules) -> Self {
        install_tls();
        let client = reqwest::Client::builder()
            .dns_resolver(std::sync::Arc::new(PublicNames(rules.clone())))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .https_only(!rules.insecure)
            .referer(false)
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            // Shorter than the idle timeout of common servers, so that a frozen function does not wake to a dead socket.
            .pool_idle_timeout(Duration::from_secs(10))
            .build()
            .expect("the client for sellers can be built");
        Self { client, rules }
    }

    /// The rules that this client keeps.
    #[must_use]
    pub fn rules(&self) -> &OutboundRules {
        &self.rules
    }

    /// Looks the URL's name up and refuses it where any of its addresses may not be called. For checks in advance: a call
    /// is checked again when it connects.
    ///
    /// # Errors
    /// [`UrlRefused`] where the name does not resolve, or leads where it may not.
    pub async fn check(&self, url: &EndpointUrl) -> Result<(), UrlRefused> {
        let Some(Host::Domain(name)) = url.0.host() else { return Ok(()) };
        let looked_up = tokio::time::timeout(CONNECT_TIMEOUT, lookup(name.to_owned(), &self.rules)).await;
        match looked_up {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(LookupError::Refused)) => Err(UrlRefused("its host leads to an address that is not public")),
            Ok(Err(LookupError::NotFound)) | Err(_) => Err(UrlRefused("its host does not resolve")),
        }
    }

    /// Sends a request and reads the answer, within its deadline and size.
    ///
    /// # Errors
    /// [`SellerFault`].
    pub async fn post(&self, request: SellerRequest<'_>) -> Result<SellerAnswer, SellerFault> {
        let began = Instant::now();
        let SellerRequest { url, headers, body, timeout, max_bytes } = request;
        // The address of a literal is never asked of a resolver: the text was checked when the URL was parsed, and the
        // rules may have changed since.
        match url.0.host() {
            Some(Host::Ipv4(ip)) if !self.rules.admits(ip.into()) => return Err(SellerFault::RefusedAddress),
            Some(Host::Ipv6(ip)) if !self.rules.admits(ip.into()) => return Err(SellerFault::RefusedAddress),
            _ => {}
        }
        let speaks_tls = url.0.scheme() == "https";
        let exchange = async {
            let mut answer =
                self.client.post(url.0.clone()).headers(headers).body(body).send().await.map_err(|e| fault(&e, speaks_tls))?;
            let status = answer.status().as_u16();
            if answer.content_length().is_some_and(|length| length > max_bytes as u64) {
                return Err(SellerFault::TooLarge { status: Some(status) });
            }
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await.map_err(|e| fault(&e, speaks_tls))? {
                if body.len() + chunk.len() > max_bytes {
                    return Err(SellerFault::TooLarge { status: Some(status) });
                }
                body.extend_from_slice(&chunk);
            }
            Ok(SellerAnswer { status, body: body.into(), latency: began.elapsed() })
        };
        tokio::time::timeout(timeout, exchange).await.unwrap_or(Err(SellerFault::Timeout))
    }
}

fn fault(error: &reqwest::Error, speaks_tls: bool) -> SellerFault {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = source {
        if let Some(LookupError::Refused) = cause.downcast_ref::<LookupError>() {
            return SellerFault::RefusedAddress;
        }
        if cause.is::<rustls::Error>() {
            return SellerFault::Tls;
        }
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            // The handshake speaks through these: what came was no TLS, or it broke off in the middle of it.
            let handshake = matches!(io.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof);
            if speaks_tls && error.is_connect() && handshake {
                return SellerFault::Tls;
            }
            // A boxed cause is not among the sources of the error that carries it.
            if let Some(inner) = io.get_ref() {
                source = Some(inner);
                continue;
            }
        }
        source = cause.source();
    }
    if error.is_timeout() { SellerFault::Timeout } else { SellerFault::Unreachable }
}

/// Resolves names for the connections themselves, and refuses a name whole when one address may not be called.
#[derive(Debug, Clone)]
struct PublicNames(OutboundRules);

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = self.0.clone();
        Box::pin(async move {
            let addresses = lookup(name.as_str().to_owned(), &rules).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LookupError {
    NotFound,
    Refused,
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "the name does not resolve",
            Self::Refused => "the name leads to an address that is not public",
        })
    }
}

impl std::error::Error for LookupError {}

async fn lookup(name: String, rules: &OutboundRules) -> Result<Vec<SocketAddr>, LookupError> {
    let addresses: Vec<SocketAddr> =
        tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|_| LookupError::NotFound)?.collect();
    if addresses.is_empty() {
        return Err(LookupError::NotFound);
    }
    if addresses.iter().any(|address| !rules.admits(address.ip())) {
        return Err(LookupError::Refused);
    }
    Ok(addresses)
}

/// A client for the operator's own choices (the payment provider, the sandbox): no rules on addresses, no redirects.
///
/// # Panics
/// Where the TLS library cannot start.
#[must_use]
pub fn plain_client() -> reqwest::Client {
    // One pool for all: building a client reads the machine's certificates.
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    let build = || {
        install_tls();
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

fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that a provider is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

#[cfg(test)]
mod tests;
