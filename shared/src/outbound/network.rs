//! Name resolution and sockets.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};

use futures::future::BoxFuture;
use tokio::net::TcpStream;

/// Resolves names and opens sockets. Deployments use [`SystemNetwork`]; tests count and redirect what is dialled.
pub trait Network: fmt::Debug + Send + Sync {
    /// All addresses of a name. A name that ends in a dot is absolute.
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;

    /// Connects to an address that has already been checked.
    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>>;
}

/// The system's resolver and sockets.
#[derive(Debug, Clone, Copy)]
pub struct SystemNetwork;

impl Network for SystemNetwork {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) })
    }

    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            // A second check, in case anything between this process and the network redirects the connection.
            if stream.peer_addr()? != address {
                return Err(io::Error::other("the connection's peer is not the dialled address"));
            }
            stream.set_nodelay(true)?;
            Ok(stream)
        })
    }
}
