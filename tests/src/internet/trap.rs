//! The seller behind every address: it counts connections and responds as the path says.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::failure::Failure;

/// The protocol of a trap.
#[derive(Debug, Clone)]
pub enum Speech {
    /// HTTP over TLS.
    Tls(Arc<ServerConfig>),
    /// It accepts the connection and sends nothing.
    Mute,
    /// It sends plain text.
    Plain,
}

/// A listening socket of this machine.
#[derive(Debug)]
pub struct Trap {
    address: SocketAddr,
    opened: Arc<AtomicUsize>,
}

impl Trap {
    /// Listens as long as the suite's runtime lives.
    pub async fn start(speech: Speech) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let trap = Self { address: listener.local_addr()?, opened: Arc::default() };
        let opened = Arc::clone(&trap.opened);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                opened.fetch_add(1, Ordering::SeqCst);
                // A caller that disconnects only ends its own connection.
                tokio::spawn(converse(stream, speech.clone()));
            }
        });
        Ok(trap)
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Number of accepted connections.
    #[must_use]
    pub fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }
}

async fn converse(mut stream: TcpStream, speech: Speech) -> std::io::Result<()> {
    match speech {
        Speech::Tls(config) => {
            let mut stream = TlsAcceptor::from(config).accept(stream).await?;
            let path = read_request(&mut stream).await?;
            answer(&mut stream, &path).await?;
            stream.shutdown().await
        }
        Speech::Mute => wait_for_the_end(&mut stream).await,
        Speech::Plain => {
            stream.write_all(b"220 mail.example.com ready\r\n").await?;
            wait_for_the_end(&mut stream).await
        }
    }
}

async fn wait_for_the_end(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<()> {
    tokio::io::copy(stream, &mut tokio::io::sink()).await.map(drop)
}

/// Reads a whole request and returns its path.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    Ok(head.split(' ').nth(1).unwrap_or_default().to_owned())
}

fn json_of(bytes: usize) -> String {
    format!("\"{}\"", "x".repeat(bytes.saturating_sub(2)))
}

fn whole(headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

async fn answer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), path: &str) -> std::io::Result<()> {
    let mut parts = path.trim_start_matches('/').splitn(3, '/');
    let (what, first, rest) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let count: usize = first.parse().unwrap_or(0);
    let chunked = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let said = match what {
        // `/redirect/307/<target>`
        "redirect" => format!("HTTP/1.1 {first} Elsewhere\r\nlocation: {rest}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        "exactly" => whole("", &json_of(count)),
        "chunked" => {
            let body = json_of(count);
            let (one, two) = body.split_at(count / 2);
            format!("{chunked}{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n", one.len(), two.len())
        }
        "tiny-chunks" => {
            let body = json_of(count);
            format!("{chunked}{}0\r\n\r\n", body.chars().map(|c| format!("1\r\n{c}\r\n")).collect::<String>())
        }
        "endless" => return endless(stream, chunked, &format!("{:x}\r\n{}\r\n", 16_384, "x".repeat(16_384))).await,
        "endless-headers" => return endless(stream, "HTTP/1.1 200 OK\r\n", "x-one-more: of these\r\n").await,
        "endless-continues" => return endless(stream, "", "HTTP/1.1 100 Continue\r\n\r\n").await,
        "endless-trailers" => return endless(stream, &format!("{chunked}2\r\n{{}}\r\n0\r\n"), "x-one-more: of these\r\n").await,
        "endless-chunk" => return endless(stream, &format!("{chunked}2;"), "x=y;").await,
        "drip" => return drip(stream, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", "\"").await,
        "slow-head" => return drip(stream, "", "HTTP/1.1 200 OK\r\nx-slow: ").await,
        "headers" => whole(&(0..count).map(|n| format!("x-{n}: 1\r\n")).collect::<String>(), "{}"),
        "long-header" => whole(&format!("x-long: {}\r\n", "x".repeat(count)), "{}"),
        "coding" => whole(&format!("content-encoding: {first}\r\n"), "{}"),
        "transfer" => chunked.replace("chunked", &format!("{first}, chunked")) + "2\r\n{}\r\n0\r\n\r\n",
        "broken-chunks" => format!("{chunked}zz\r\n{{}}\r\n0\r\n\r\n"),
        "cut-chunks" => format!("{chunked}20\r\n{{}}"),
        "cut" => whole("", "{}").replace("content-length: 2", "content-length: 20"),
        "no-http" => "SSH-2.0-OpenSSH_9.9\r\n".to_owned(),
        "html" => whole("", "<html>"),
        "close" => return Ok(()),
        "silent" => return wait_for_the_end(stream).await,
        _ => whole("", "{\"trap\":true}"),
    };
    stream.write_all(said.as_bytes()).await
}

/// One byte per second, without end.
async fn drip(stream: &mut (impl AsyncWrite + Unpin), at_once: &str, then: &str) -> std::io::Result<()> {
    stream.write_all(at_once.as_bytes()).await?;
    for byte in then.bytes().chain(std::iter::repeat(b'x')) {
        stream.write_all(&[byte]).await?;
        stream.flush().await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

async fn endless(stream: &mut (impl AsyncWrite + Unpin), head: &str, again: &str) -> std::io::Result<()> {
    stream.write_all(head.as_bytes()).await?;
    let again = again.repeat(16_384_usize.div_ceil(again.len()));
    loop {
        stream.write_all(again.as_bytes()).await?;
    }
}
