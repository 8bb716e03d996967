//! Connections to sellers: resolve the host, check every address, dial a checked address, start TLS.
//!
//! Resolving, checking and dialling are one step on one list of addresses, so nothing can change in between.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::Uri;
use hyper::rt::ReadBufCursor;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::io::InspectReader;
use tower::Service;

use super::network::Network;
use super::received::Received;
use super::url::OutboundRules;

/// Timeout of a name lookup.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(3);
/// Timeout for connecting to one address.
const DIAL_TIMEOUT: Duration = Duration::from_secs(3);
/// Maximum number of addresses to try per connection.
const MAX_DIALS: usize = 4;

/// Why a connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ConnectError {
    /// The host does not resolve.
    #[error("the host does not resolve")]
    NotFound,
    /// An address of the host is not allowed.
    #[error("the host resolves to an address that is not public")]
    Refused,
    /// No address accepted a connection.
    #[error("no connection could be made")]
    NoConnection,
    /// The TLS handshake failed, or the certificate is not trusted.
    #[error("no secure connection could be made")]
    Tls,
}

/// Opens connections that comply with the rules.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) rules: OutboundRules,
    pub(super) network: Arc<dyn Network>,
    pub(super) tls: TlsConnector,
}

impl Connector {
    /// All addresses of a host, if every one of them is allowed.
    pub(super) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, ConnectError> {
        // IP literals are never resolved.
        if let Ok(ip) = host.trim_start_matches('[').trim_end_matches(']').parse() {
            return if self.rules.allows_literal(ip) { Ok(vec![ip]) } else { Err(ConnectError::Refused) };
        }
        // The trailing dot makes the name absolute, so the resolver's search list does not apply. On a local stack the name
        // may come from the hosts file, which has no trailing dots.
        let name = if self.rules.insecure { host.to_owned() } else { format!("{}.", host.trim_end_matches('.')) };
        let found = tokio::time::timeout(LOOKUP_TIMEOUT, self.network.resolve(&name)).await;
        let addresses = found.ok().and_then(Result::ok).filter(|found| !found.is_empty()).ok_or(ConnectError::NotFound)?;
        // One disallowed address rejects the whole name, because its owner chooses the order of addresses.
        if addresses.iter().all(|ip| self.rules.allows(*ip)) { Ok(addresses) } else { Err(ConnectError::Refused) }
    }

    async fn connect(&self, to: &Uri) -> Result<SellerStream, ConnectError> {
        let host = to.host().ok_or(ConnectError::NotFound)?;
        let secure = to.scheme_str() != Some("http");
        if !secure && !self.rules.insecure {
            return Err(ConnectError::Refused);
        }
        let port = to.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = self.dial(self.addresses(host).await?, port).await?;
        if !secure {
            return Ok(SellerStream::new(stream));
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(|_| ConnectError::Tls)?;
        let stream = self.tls.connect(name, stream).await.map_err(|_| ConnectError::Tls)?;
        Ok(SellerStream::new(stream))
    }

    async fn dial(&self, addresses: Vec<IpAddr>, port: u16) -> Result<TcpStream, ConnectError> {
        for ip in addresses.into_iter().take(MAX_DIALS) {
            if let Ok(Ok(stream)) = tokio::time::timeout(DIAL_TIMEOUT, self.network.dial(SocketAddr::new(ip, port))).await {
                return Ok(stream);
            }
        }
        Err(ConnectError::NoConnection)
    }
}

impl Service<Uri> for Connector {
    type Response = SellerStream;
    type Error = ConnectError;
    type Future = BoxFuture<'static, Result<SellerStream, ConnectError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect(&to).await })
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// An open connection. Only local stacks allow one without TLS.
pub(super) struct SellerStream {
    io: TokioIo<Box<dyn Stream>>,
    received: Received,
}

impl SellerStream {
    fn new(stream: impl Stream + 'static) -> Self {
        let received = Received::default();
        let counter = received.clone();
        let counted = InspectReader::new(stream, move |bytes: &[u8]| counter.add(bytes.len()));
        Self { io: TokioIo::new(Box::new(counted)), received }
    }
}

impl Connection for SellerStream {
    fn connected(&self) -> Connected {
        Connected::new().extra(self.received.clone())
    }
}

impl hyper::rt::Read for SellerStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl hyper::rt::Write for SellerStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }
}
