//! Names and sockets: all that a connection asks of the machine.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};

use futures::future::BoxFuture;
use tokio::net::TcpStream;

/// What answers for names and opens sockets. A deployment uses [`Internet`]; tests count and divert what is dialled here.
pub trait Network: fmt::Debug + Send + Sync {
    /// Every address of a name. A name that ends in a dot is absolute.
    fn look_up<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;

    /// Opens a connection to an address that has been checked.
    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>>;
}

/// The machine's own resolver and sockets.
#[derive(Debug, Clone, Copy)]
pub struct Internet;

impl Network for Internet {
    fn look_up<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) })
    }

    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            // What was checked is what is spoken to: a belt, for whatever may stand between this process and the network.
            if stream.peer_addr()? != address {
                return Err(io::Error::other("the peer is not the address that was dialled"));
            }
            stream.set_nodelay(true)?;
            Ok(stream)
        })
    }
}
