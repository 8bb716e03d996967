//! Request targets that were not escaped, sent over a plain connection: clients' libraries escape them.

use crochet_tests::{Failure, Outcome, shared};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a request line as it is, and returns the status and the body.
async fn get(address: &str, target: &str) -> Result<(u16, Value), Failure> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await?;
    let reply = String::from_utf8_lossy(&reply).into_owned();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap_or((&reply, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Ok((status, serde_json::from_str(body).unwrap_or_default()))
}

#[test]
fn quotes_angles_and_spaces_in_a_target_get_our_envelope() -> Outcome {
    shared(async |world| {
        let base = world.client.base();
        let Some(address) = base.strip_prefix("http://").map(|address| address.replace("localhost", "127.0.0.1")) else {
            return Ok(());
        };
        for (target, status, code) in [
            ("/api/v1/listings?q=\"a\"", 200, ""),
            ("/api/v1/listings?q=<a>", 200, ""),
            ("/api/v1/listings?q=a b", 200, ""),
            ("/api/v1/listings?q=a b&sort=\"", 400, "INVALID_REQUEST"),
            ("/api/v1/listings?a\"=<b>", 400, "UNKNOWN_FIELD"),
            ("/api/v1/listings/a\"b", 404, "LISTING_NOT_FOUND"),
            ("/no such \"path\"", 404, "NOT_FOUND"),
        ] {
            let (answered, body) = get(&address, target).await?;
            assert_eq!((answered, body["error"]["code"].as_str().unwrap_or_default()), (status, code), "{target}: {body}");
            assert_eq!(body["success"], status == 200, "{target}");
        }
        Ok(())
    })
}
