//! Compressed replies. API Gateway does not compress, so the functions do.

use std::io::Write;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::BodyExt;

/// Replies of this length or less are sent as they are, in bytes.
const MIN_BYTES: u64 = 1_024;
const GZIP: &str = "gzip";

/// Whether a request accepts gzip.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut any = None;
    for coding in codings.flat_map(|list| list.split(',')) {
        let (name, wanted) = quality(coding);
        match name.as_str() {
            GZIP | "x-gzip" => return wanted,
            "*" => any = Some(wanted),
            _ => {}
        }
    }
    any.unwrap_or(false)
}

/// A name of an `Accept…` list in lower case, and whether its weight is more than 0.
pub(super) fn quality(item: &str) -> (String, bool) {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    (name, weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0)))
}

/// Compresses a reply, if its kind and length make it worthwhile and `wanted` says that the client reads gzip. axum takes the body out
/// of the reply to a `HEAD` later.
pub(super) async fn compress(mut response: Response, wanted: bool) -> Response {
    let headers = response.headers();
    let is_text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(is_text);
    if !is_text || headers.contains_key(header::CONTENT_ENCODING) || response.status() == StatusCode::NOT_MODIFIED {
        return response;
    }
    vary(response.headers_mut(), "accept-encoding");
    if !wanted || response.body().size_hint().exact().is_none_or(|length| length <= MIN_BYTES) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // Bodies are in memory, so that neither reading nor writing fails.
    let plain = body.collect().await.map(|collected| collected.to_bytes()).unwrap_or_default();
    let Some(gzipped) = gzipped(&plain) else { return Response::from_parts(parts, Body::from(plain)) };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(GZIP));
    weaken(&mut parts.headers);
    Response::from_parts(parts, Body::from(gzipped))
}

fn is_text(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.starts_with("text/") || essence == "application/json" || essence.ends_with("+json") || essence.ends_with("xml")
}

fn gzipped(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::default());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

/// Makes the entity tag weak: the compressed bytes are not those that it names. Tags are compared weakly.
fn weaken(headers: &mut HeaderMap) {
    let strong = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).filter(|tag| !tag.starts_with("W/"));
    if let Some(weak) = strong.and_then(|tag| HeaderValue::from_str(&format!("W/{tag}")).ok()) {
        headers.insert(header::ETAG, weak);
    }
}

/// Adds a name to the one `Vary` header.
pub(super) fn vary(headers: &mut HeaderMap, name: &str) {
    let known = headers.get(header::VARY).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_there = known.split(',').any(|known| known.trim().eq_ignore_ascii_case(name));
    let joint = if known.is_empty() { "" } else { ", " };
    if let Some(value) = (!is_there).then(|| HeaderValue::from_str(&format!("{known}{joint}{name}")).ok()).flatten() {
        headers.insert(header::VARY, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(value: &'static str) -> bool {
        accepts_gzip(&[(header::ACCEPT_ENCODING, HeaderValue::from_static(value))].into_iter().collect())
    }

    #[test]
    fn gzip_is_sent_to_those_who_read_it() {
        for yes in ["gzip", "br, GZIP;q=0.5", "*", "deflate, *;q=0.1", "x-gzip"] {
            assert!(accepting(yes), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "identity", "gzip; q=0.0, *", "*;q=0"] {
            assert!(!accepting(no), "{no}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn long_text_is_compressed_and_its_tag_is_weak() {
        let reply = |length: usize| {
            let mut response = Response::new(Body::from("x".repeat(length)));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response.headers_mut().insert(header::ETAG, HeaderValue::from_static("\"a\""));
            response.headers_mut().insert(header::VARY, HeaderValue::from_static("authorization"));
            response
        };
        let long = compress(reply(2_000), true).await;
        assert_eq!(long.headers()[header::CONTENT_ENCODING], "gzip");
        assert_eq!(long.headers()[header::ETAG], "W/\"a\"");
        assert_eq!(long.headers()[header::VARY], "authorization, accept-encoding");
        let bytes = long.into_body().collect().await.expect("a body").to_bytes();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*bytes), &mut text).expect("gzip");
        assert_eq!(text, "x".repeat(2_000));
        for plain in [compress(reply(1_024), true).await, compress(reply(2_000), false).await] {
            assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
            assert_eq!(plain.headers()[header::ETAG], "\"a\"");
            assert_eq!(plain.headers()[header::VARY], "authorization, accept-encoding");
        }
    }
}
