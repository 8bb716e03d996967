//! One request and its whole answer: nothing but status and body is kept, and no more of the body than was asked for.

use std::error::Error;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::Client;

use super::connect::{ConnectError, Connector};
use super::{FailedAttempt, MAX_ANSWER_HEAD_BYTES, SellerAnswer, SellerFault, SellerRequest};

/// Headers that speak of the connection and the framing: the client alone sets them, whatever a seller had stored.
const OF_THE_CONNECTION: [HeaderName; 10] = [
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

/// Sends a request and reads the answer. Whoever calls this sets the deadline: dropping the future closes the connection.
pub(super) async fn exchange(
    client: &Client<Connector, Full<Bytes>>,
    request: SellerRequest<'_>,
) -> Result<SellerAnswer, FailedAttempt> {
    let began = Instant::now();
    let SellerRequest { url, headers, body, max_bytes, .. } = request;
    let uri: Uri = url.uri().map_err(|_| SellerFault::RefusedAddress)?;
    let mut request = Request::post(uri).body(Full::new(body)).map_err(|_| SellerFault::Unreachable)?;
    *request.headers_mut() = headers;
    for name in OF_THE_CONNECTION {
        request.headers_mut().remove(name);
    }
    request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let answer = client.request(request).await.map_err(|e| {
        let failed = FailedAttempt::from(fault(&e));
        FailedAttempt { body_may_be_seen: failed.body_may_be_seen && !e.is_connect(), ..failed }
    })?;
    let status = answer.status().as_u16();
    let body = read(answer, status, max_bytes).await?;
    Ok(SellerAnswer { status, body, latency: began.elapsed() })
}

async fn read(answer: Response<Incoming>, status: u16, max_bytes: usize) -> Result<Bytes, SellerFault> {
    let too_large = SellerFault::TooLarge { status: Some(status) };
    let (head, mut body) = answer.into_parts();
    // The connection itself stops reading a head that is about twice as long.
    let head_bytes: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if head_bytes > MAX_ANSWER_HEAD_BYTES {
        return Err(too_large);
    }
    // Of nothing, any coding is nothing.
    if is_encoded(&head.headers) && !body.is_end_stream() {
        return Err(SellerFault::Encoded { status });
    }
    if body.size_hint().lower() > max_bytes as u64 {
        return Err(too_large);
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        // Trailers are read over.
        let Ok(data) = frame.map_err(|e| fault(&e))?.into_data() else { continue };
        if bytes.len() + data.len() > max_bytes {
            return Err(too_large);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.into())
}

/// Whether a body is coded in any way but `identity` and, on the way, `chunked`. What cannot be read counts as a coding.
fn is_encoded(headers: &HeaderMap) -> bool {
    let codings = |name, plain: &'static str| {
        headers.get_all(name).iter().any(move |value| {
            let Ok(value) = value.to_str() else { return true };
            value.split(',').map(str::trim).any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(plain))
        })
    };
    codings(header::CONTENT_ENCODING, "identity") || codings(header::TRANSFER_ENCODING, "chunked")
}

fn fault(error: &(dyn Error + 'static)) -> SellerFault {
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
        // A boxed cause is not among the sources of the error that carries it.
        source = match cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    SellerFault::Unreachable
}
