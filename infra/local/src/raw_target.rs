//! Request targets that a client did not escape, as API Gateway passes them on: hyper would close the connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crochet::http::escaped::{escape_path, escape_query};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection whose request lines are escaped as they are read.
///
/// A request line is recognised at the beginning of the connection and after something was written. One that arrives in pieces is
/// passed on as it is.
pub(crate) struct EscapedTargets<S> {
    stream: S,
    /// Whether a request may begin now.
    expects_request: bool,
    /// What was read and did not fit: escapes are longer than what they stand for.
    left: Vec<u8>,
}

impl<S> EscapedTargets<S> {
    /// Escapes what is read from `stream`.
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, expects_request: true, left: Vec::new() }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for EscapedTargets<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.left.is_empty() {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
            let read = &buffer.filled()[before..];
            if read.is_empty() || !std::mem::take(&mut self.expects_request) {
                return Poll::Ready(Ok(()));
            }
            let Some(escaped) = escaped(read) else { return Poll::Ready(Ok(())) };
            buffer.set_filled(before);
            self.left = escaped;
        }
        let fits = self.left.len().min(buffer.remaining());
        buffer.put_slice(&self.left[..fits]);
        self.left.drain(..fits);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for EscapedTargets<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.expects_request = true;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The bytes with an escaped request line. `None` if they do not begin with one, or nothing in it needs an escape.
fn escaped(bytes: &[u8]) -> Option<Vec<u8>> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let (line, rest) = bytes.split_at(end);
    let line = String::from_utf8_lossy(line);
    let (method, rest_of_line) = line.split_once(' ')?;
    let (target, version) = rest_of_line.rsplit_once(" HTTP/")?;
    if !target.starts_with('/') || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let whole = match target.split_once('?') {
        Some((path, query)) => format!("{}?{}", escape_path(path), escape_query(query)),
        None => escape_path(target),
    };
    (whole != target).then(|| [format!("{method} {whole} HTTP/{version}").as_bytes(), rest].concat())
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn request_lines_are_escaped_and_bodies_are_not() {
        let sent = "GET /a?q=\"x y\"<z> HTTP/1.1\r\nhost: a\r\n\r\n";
        let mut connection = EscapedTargets::new(sent.as_bytes());
        let mut first = [0_u8; 40];
        let read = connection.read(&mut first).await.expect("bytes");
        let mut text = String::from_utf8_lossy(&first[..read]).into_owned();
        connection.read_to_string(&mut text).await.expect("the rest");
        assert!(text.starts_with("GET /a?q=%22x%20y%22%3Cz%3E HTTP/1.1\r\n"), "{text}");
        for plain in ["GET /a?q=%22 HTTP/1.1\r\n", "POST / HTTP/1.1", "{\"GET / \": 1}\r\n", "get /\" HTTP/1.1\r\n"] {
            assert!(escaped(plain.as_bytes()).is_none(), "{plain}");
        }
    }
}
