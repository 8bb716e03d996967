//! One request and its complete response. Only status and body are kept, and the body only up to its size limit.

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::{Client, Error as ClientError};

use super::connect::{ConnectError, Connector};
use super::failure::{FailedAttempt, SellerFault};
use super::received::Received;
use super::url::EndpointUrl;

/// Maximum size of a response's headers in bytes, counting four extra bytes per line.
pub const MAX_RESPONSE_HEAD_BYTES: usize = 64 * 1024;

/// A seller's response. Only status and body are kept.
#[derive(Debug, Clone)]
pub struct SellerResponse {
    /// HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Bytes,
    /// Time from the start of the request to the last byte of the response.
    pub latency: Duration,
}

/// A request to a seller.
#[derive(Debug)]
pub struct SellerRequest<'a> {
    /// The URL to call.
    pub url: &'a EndpointUrl,
    /// All headers except those of the connection, which the client sets itself.
    pub headers: HeaderMap,
    /// The request body.
    pub body: Bytes,
    /// Deadline for name lookup, connection, request and complete response together.
    pub timeout: Duration,
    /// Maximum size of the response body in bytes.
    pub max_bytes: usize,
}

/// Headers about the connection and framing. Only the client sets them, whatever header a seller configured.
const CONNECTION_HEADERS: [HeaderName; 10] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// Sends a request and reads the response. The caller enforces the deadline; dropping the future closes the connection.
///
/// The pooled client repeats by itself only what it has not begun to send. A seller may close a kept connection just when a
/// request arrives, so a request that got not a byte of its response is sent once more, on a new connection of `unpooled`.
pub(super) async fn exchange(
    pooled: &Client<Connector, Full<Bytes>>,
    unpooled: &Client<Connector, Full<Bytes>>,
    request: SellerRequest<'_>,
) -> Result<SellerResponse, FailedAttempt> {
    let began = Instant::now();
    let SellerRequest { url, headers, body, max_bytes, .. } = request;
    let uri: Uri = url.uri().map_err(|_| SellerFault::RefusedAddress)?;
    let mut request = Request::post(uri).body(Full::new(body)).map_err(|_| SellerFault::Unreachable)?;
    *request.headers_mut() = headers;
    for name in CONNECTION_HEADERS {
        request.headers_mut().remove(name);
    }
    request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let response = match pooled.request(request.clone()).await {
        Err(e) if died_before_response(&e) => {
            // The body may have been seen on the connection that died.
            let failed = |e| FailedAttempt { body_may_be_seen: true, ..failure_of(&e) };
            unpooled.request(request).await.map_err(failed)?
        }
        sent => sent.map_err(|e| failure_of(&e))?,
    };
    let status = response.status().as_u16();
    let received = response.extensions().get::<Received>().cloned();
    let body = read_body(response, status, max_bytes).await?;
    if let Some(received) = received {
        received.response_complete();
    }
    Ok(SellerResponse { status, body, latency: began.elapsed() })
}

/// What the connection of a failed request has received.
fn received_of(error: &ClientError) -> Option<Received> {
    let mut extras = Extensions::new();
    error.connect_info()?.get_extras(&mut extras);
    extras.remove()
}

fn died_before_response(error: &ClientError) -> bool {
    !error.is_connect() && received_of(error).is_some_and(|received| received.is_kept() && !received.has_more())
}

fn failure_of(error: &ClientError) -> FailedAttempt {
    let mut fault = fault_of(error, None);
    // The seller spoke before it was asked, so the request was not sent.
    let was_not_sent = error.source().and_then(|e| e.downcast_ref::<hyper::Error>()).is_some_and(hyper::Error::is_canceled);
    if fault == SellerFault::Unreachable && was_not_sent && received_of(error).is_some_and(|received| received.has_more()) {
        fault = SellerFault::Malformed { status: None };
    }
    let failed = FailedAttempt::from(fault);
    FailedAttempt { body_may_be_seen: failed.body_may_be_seen && !error.is_connect(), ..failed }
}

async fn read_body(response: Response<Incoming>, status: u16, max_bytes: usize) -> Result<Bytes, SellerFault> {
    let too_large = SellerFault::TooLarge { status: Some(status) };
    let (head, mut body) = response.into_parts();
    // The HTTP client's own limit allows about twice as much.
    let head_bytes: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if head_bytes > MAX_RESPONSE_HEAD_BYTES {
        return Err(too_large);
    }
    // An empty body is empty in any encoding.
    if is_encoded(&head.headers) && !body.is_end_stream() {
        return Err(SellerFault::Encoded { status });
    }
    if body.size_hint().lower() > max_bytes as u64 {
        return Err(too_large);
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        // Trailers are ignored.
        let Ok(data) = frame.map_err(|e| fault_of(&e, Some(status)))?.into_data() else { continue };
        if bytes.len() + data.len() > max_bytes {
            return Err(too_large);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.into())
}

/// Content codings in IANA's registry, without `identity`. Any other word names no coding.
const CONTENT_CODINGS: [&str; 12] =
    ["aes128gcm", "br", "compress", "dcb", "dcz", "deflate", "exi", "gzip", "pack200-gzip", "x-compress", "x-gzip", "zstd"];

/// Whether the body has a content coding, or a transfer coding other than `chunked`.
fn is_encoded(headers: &HeaderMap) -> bool {
    let is = |word: &[u8], name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    words(headers, header::CONTENT_ENCODING).any(|word| CONTENT_CODINGS.iter().any(|coding| is(word, coding)))
        || words(headers, header::TRANSFER_ENCODING).any(|word| !word.is_empty() && !is(word, "chunked"))
}

fn words(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    let values = headers.get_all(name).into_iter();
    values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii))
}

/// The fault behind an error. `status` is that of the response, if it could be read.
fn fault_of(error: &(dyn Error + 'static), status: Option<u16>) -> SellerFault {
    let mut fault = SellerFault::Unreachable;
    let mut source = Some(error);
    while let Some(cause) = source {
        if let Some(connect) = cause.downcast_ref::<ConnectError>() {
            return match connect {
                ConnectError::Refused => SellerFault::RefusedAddress,
                ConnectError::Tls => SellerFault::Tls,
                ConnectError::NotFound | ConnectError::NoConnection => SellerFault::Unreachable,
            };
        }
        if cause.is::<rustls::Error>() {
            return SellerFault::Tls;
        }
        if let Some(error) = cause.downcast_ref::<hyper::Error>() {
            if error.is_parse_too_large() {
                return SellerFault::TooLarge { status };
            }
            if error.is_parse() {
                fault = SellerFault::Malformed { status };
            }
        }
        // `io::Error::source` skips the boxed error itself.
        source = match cause.downcast_ref::<io::Error>() {
            Some(error) => {
                // This is how hyper reports chunks and trailers that it cannot read; an operating system's error boxes nothing.
                let is_unreadable = matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData);
                if is_unreadable && error.get_ref().is_some() {
                    fault = SellerFault::Malformed { status };
                }
                error.get_ref().map(|inner| inner as &(dyn Error + 'static)).or_else(|| cause.source())
            }
            None => cause.source(),
        };
    }
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(name: HeaderName, values: &[&'static [u8]]) -> bool {
        let value = |value| HeaderValue::from_bytes(value).expect("a header");
        is_encoded(&values.iter().map(|bytes| (name.clone(), value(bytes))).collect())
    }

    #[test]
    fn a_content_encoding_that_names_no_coding_is_none() {
        for value in [&b""[..], b"identity", b"utf-8", b"none", b"unheard-of, , identity", b"g\xfczip", b"application/json"] {
            assert!(!encoded(header::CONTENT_ENCODING, &[value]), "{value:?}");
        }
        for value in [&b"gzip"[..], b"GZip", b"x-gzip", b"br", b"zstd", b"deflate", b"compress", b"identity,gzip", b"utf-8, br "] {
            assert!(encoded(header::CONTENT_ENCODING, &[value]), "{value:?}");
        }
        assert!(encoded(header::CONTENT_ENCODING, &[b"utf-8", b"gzip"]));
        assert!(!encoded(header::TRANSFER_ENCODING, &[b"Chunked"]));
        assert!(encoded(header::TRANSFER_ENCODING, &[b"gzip, chunked"]));
        assert!(encoded(header::TRANSFER_ENCODING, &[b"unheard-of, chunked"]));
    }
}
