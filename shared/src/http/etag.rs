//! Conditional reads: a client that already has the response gets 304.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Reply;
use crochet_domain::ids::sha256_hex;

/// The reply with its `ETag`, or 304 if `If-None-Match` names it. Caches must revalidate every time, because a price may change.
#[must_use]
pub fn conditional(request: &HeaderMap, reply: Reply) -> Response {
    let etag = format!("\"{}\"", &sha256_hex(reply.body())[..32]);
    let known = is_known(request, &etag);
    // With a key, the response may contain the caller's own draft, which no shared cache may keep.
    let caching = if request.contains_key(header::AUTHORIZATION) { "private, no-cache" } else { "no-cache" };
    let mut response = reply.header("etag", &etag).header("cache-control", caching).header("vary", "authorization").into_response();
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = axum::body::Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    response
}

/// Whether `If-None-Match` names this entity tag, or is `*` (RFC 9110, section 13.1.2). The tag is in quotes and has no comma.
#[must_use]
pub fn is_known(request: &HeaderMap, etag: &str) -> bool {
    request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|list| names(list, etag))
}

/// Compares weakly, as RFC 9110 says for `If-None-Match`.
fn names(list: &str, etag: &str) -> bool {
    list.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_weakly() {
        assert!(names("\"a\", W/\"b\"", "\"b\"") && names("*", "\"b\"") && names("\"b\"", "\"b\""));
        assert!(!names("\"a\"", "\"b\"") && !names("", "\"b\"") && !names("b", "\"b\""));
    }
}
