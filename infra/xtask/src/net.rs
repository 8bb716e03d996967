//! Loopback addresses: free ports, and a minimal HTTP client that checks whether a server is up.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Status and headers of a response.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The value of the `Server` header, empty without one.
    pub(crate) server: String,
}

/// The first of `count` consecutive free loopback ports, below the ephemeral range.
///
/// # Errors
/// If there are none.
pub(crate) fn free_ports(count: u16) -> Result<u16, String> {
    let start = 20_000 + u16::try_from(std::process::id() % 1_000).unwrap_or(0) * 10;
    (start..32_000)
        .step_by(10)
        .find(|base| (*base..*base + count).all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()))
        .ok_or_else(|| "no free ports on 127.0.0.1".into())
}

/// Sends `GET path`. `None` if no HTTP response arrives within `limit`.
pub(crate) fn get(address: SocketAddr, path: &str, limit: Duration) -> Option<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, limit).ok()?;
    stream.set_read_timeout(Some(limit)).ok()?;
    stream.set_write_timeout(Some(limit)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").ok()?;
    let mut head = Vec::new();
    let mut chunk = [0_u8; 1024];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") && head.len() < 16_384 {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(length) => head.extend_from_slice(&chunk[..length]),
        }
    }
    parse(&String::from_utf8_lossy(&head))
}

/// Sends `GET /` to a loopback port.
pub(crate) fn answers(port: u16) -> Option<Answer> {
    get(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), "/", Duration::from_secs(2))
}

fn parse(head: &str) -> Option<Answer> {
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let server = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("server"))
        .map(|(_, value)| value.trim().to_owned())
        .unwrap_or_default();
    Some(Answer { status, server })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_its_status_and_its_server() {
        let answer = parse("HTTP/1.1 400 Bad Request\r\nserver: Jetty(12.0.14)\r\n\r\nServer: no").expect("HTTP");
        assert_eq!((answer.status, answer.server.as_str()), (400, "Jetty(12.0.14)"));
        assert!(parse("SSH-2.0-OpenSSH\r\n").is_none());
        assert!(parse("").is_none());
    }

    #[test]
    fn free_ports_can_be_bound_side_by_side() {
        let base = free_ports(5).expect("free ports");
        let listeners: Vec<_> = (base..base + 5).map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port))).collect();
        assert!(listeners.iter().all(Result::is_ok));
    }
}
