//! A seller that sends exactly the bytes it is told to, and keeps its connections.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::failure::Failure;
use crate::outside::own_address;

/// What the seller does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawReply {
    /// Sends these bytes and keeps the connection.
    Send(Vec<u8>),
    /// Sends these bytes, possibly none, and closes the connection.
    SendAndClose(Vec<u8>),
}

impl RawReply {
    /// A well-formed 200 with these further header lines (each ends with CRLF) and this body.
    #[must_use]
    pub fn json(headers: &str, body: &[u8]) -> Self {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n", body.len());
        Self::Send([head.as_bytes(), body].concat())
    }

    /// Closes the connection without a byte.
    #[must_use]
    pub fn nothing() -> Self {
        Self::SendAndClose(Vec::new())
    }
}

/// A request that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRequest {
    /// Counts the connections from zero.
    pub connection: usize,
    /// Header `webhook-id`.
    pub webhook_id: String,
    /// Header `x-crochet-attempt`.
    pub attempt: String,
}

#[derive(Debug, Default)]
struct Script {
    replies: VecDeque<RawReply>,
    received: Vec<RawRequest>,
}

/// The seller. It listens as long as the suite's runtime lives.
#[derive(Debug)]
pub struct RawSeller {
    url: String,
    script: Arc<Mutex<Script>>,
}

impl RawSeller {
    /// Starts a seller that gives these replies in turn. The last one is repeated.
    pub async fn start(replies: impl IntoIterator<Item = RawReply>) -> Result<Self, Failure> {
        let listener = TcpListener::bind((own_address(), 0)).await?;
        let url = format!("http://{}/raw", listener.local_addr()?);
        let script = Arc::new(Mutex::new(Script { replies: replies.into_iter().collect(), received: Vec::new() }));
        let shared = Arc::clone(&script);
        tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((stream, _)) = listener.accept().await {
                // A caller that disconnects only ends its own connection.
                tokio::spawn(converse(stream, connection, Arc::clone(&shared)));
                connection += 1;
            }
        });
        Ok(Self { url, script })
    }

    /// The URL to call.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The requests that arrived, in order.
    ///
    /// # Panics
    /// If a connection's task panicked.
    #[must_use]
    pub fn received(&self) -> Vec<RawRequest> {
        self.script.lock().expect("no task panicked").received.clone()
    }
}

async fn converse(mut stream: TcpStream, connection: usize, script: Arc<Mutex<Script>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let head = read_request(&mut stream).await?;
        let header = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(':'));
            let value = lines.find_map(|(found, value)| found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned()));
            value.unwrap_or_default()
        };
        let reply = {
            let mut script = script.lock().expect("no task panicked");
            script.received.push(RawRequest { connection, webhook_id: header("webhook-id"), attempt: header("x-crochet-attempt") });
            if script.replies.len() > 1 { script.replies.pop_front() } else { script.replies.front().cloned() }
        };
        match reply {
            Some(RawReply::Send(bytes)) => stream.write_all(&bytes).await?,
            Some(RawReply::SendAndClose(bytes)) => {
                stream.write_all(&bytes).await?;
                return stream.shutdown().await;
            }
            None => return Ok(()),
        }
    }
}

/// Reads a whole request and returns its head.
async fn read_request(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    Ok(head)
}
