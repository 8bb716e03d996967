//! One request and its complete response. Only status and body are kept, and the body only up to its size limit.

use std::error::Error;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::Client;

use super::connect::{ConnectError, Connector};
use super::failure::{FailedAttempt, SellerFault};
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
pub(super) async fn exchange(
    client: &Client<Connector, Full<Bytes>>,
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
    let response = client.request(request).await.map_err(|e| {
        let failed = FailedAttempt::from(fault_of(&e));
        FailedAttempt { body_may_be_seen: failed.body_may_be_seen && !e.is_connect(), ..failed }
    })?;
    let status = response.status().as_u16();
    let body = read_body(response, status, max_bytes).await?;
    Ok(SellerResponse { status, body, latency: began.elapsed() })
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
        let Ok(data) = frame.map_err(|e| fault_of(&e))?.into_data() else { continue };
        if bytes.len() + data.len() > max_bytes {
            return Err(too_large);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.into())
}

/// Whether the body has a content coding other than `identity` or a transfer coding other than `chunked`. A header that is not
/// ASCII counts as a coding.
fn is_encoded(headers: &HeaderMap) -> bool {
    let codings = |name, plain: &'static str| {
        headers.get_all(name).iter().any(move |value| {
            let Ok(value) = value.to_str() else { return true };
            value.split(',').map(str::trim).any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(plain))
        })
    };
    codings(header::CONTENT_ENCODING, "identity") || codings(header::TRANSFER_ENCODING, "chunked")
}

fn fault_of(error: &(dyn Error + 'static)) -> SellerFault {
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
        if cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse_too_large) {
            return SellerFault::TooLarge { status: None };
        }
        // `io::Error::source` skips the boxed error itself.
        source = match cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    SellerFault::Unreachable
}
