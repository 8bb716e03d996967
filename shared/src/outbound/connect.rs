//! Connections to sellers: look the name up, check every address, dial what was checked, start TLS.
//!
//! Looking up, checking and dialling are one step on one list of addresses, so nothing can change in between.

use std::fmt;
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
use tower::Service;

use super::network::Network;
use super::url::OutboundRules;

/// Longest name look-up.
pub(super) const LOOKUP_TIME: Duration = Duration::from_secs(3);
/// Longest attempt at one address.
const DIAL_TIME: Duration = Duration::from_secs(3);
/// A name may have many addresses; so many are tried.
const DIALS: usize = 4;

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConnectError {
    /// The name does not resolve.
    NotFound,
    /// An address of the name, or the address that the URL spells, may not be called.
    Refused,
    /// Nobody answers at any address.
    NoConnection,
    /// What answers speaks no TLS that can be trusted.
    Tls,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "the name does not resolve",
            Self::Refused => "the host leads to an address that is not public",
            Self::NoConnection => "no connection could be made",
            Self::Tls => "no secure connection could be made",
        })
    }
}

impl std::error::Error for ConnectError {}

/// Opens connections that keep the rules.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) rules: OutboundRules,
    pub(super) network: Arc<dyn Network>,
    pub(super) tls: TlsConnector,
}

impl Connector {
    /// Every address of a host, if all of them may be called.
    pub(super) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, ConnectError> {
        // A resolver is never asked about a literal.
        if let Ok(ip) = host.trim_start_matches('[').trim_end_matches(']').parse() {
            return if self.rules.admits_literal(ip) { Ok(vec![ip]) } else { Err(ConnectError::Refused) };
        }
        // An absolute name: the machine's search list adds nothing to it. Names of a local stack may be in its hosts file.
        let name = if self.rules.insecure { host.to_owned() } else { format!("{}.", host.trim_end_matches('.')) };
        let found = tokio::time::timeout(LOOKUP_TIME, self.network.look_up(&name)).await;
        let addresses = found.ok().and_then(Result::ok).filter(|found| !found.is_empty()).ok_or(ConnectError::NotFound)?;
        // One bad address among good ones refuses the name whole: whoever owns it chooses the order.
        if addresses.iter().all(|ip| self.rules.admits(*ip)) { Ok(addresses) } else { Err(ConnectError::Refused) }
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
            return Ok(SellerStream(TokioIo::new(Box::new(stream))));
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(|_| ConnectError::Tls)?;
        let stream = self.tls.connect(name, stream).await.map_err(|_| ConnectError::Tls)?;
        Ok(SellerStream(TokioIo::new(Box::new(stream))))
    }

    async fn dial(&self, addresses: Vec<IpAddr>, port: u16) -> Result<TcpStream, ConnectError> {
        for ip in addresses.into_iter().take(DIALS) {
            if let Ok(Ok(stream)) = tokio::time::timeout(DIAL_TIME, self.network.dial(SocketAddr::new(ip, port))).await {
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

/// An open connection, with TLS or (on local stacks) without.
pub(super) struct SellerStream(TokioIo<Box<dyn Stream>>);

impl Connection for SellerStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl hyper::rt::Read for SellerStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl hyper::rt::Write for SellerStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }
}
