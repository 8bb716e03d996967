//! Request targets that clients did not escape: `?q="a b"<c>`. API Gateway passes them on as they are, and no URI can hold them.

use std::fmt::Write;
use std::task::{Context, Poll};

use http::header::HOST;
use lambda_http::LambdaEvent;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use lambda_http::request::LambdaRequest;
use lambda_http::tower::Service;
use url::Url;

/// What a path or query is cut to, in bytes. It is more than a request may have, so that a longer one is refused.
const MAX_BYTES: usize = 8_192;
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// A query with every byte escaped that a URI cannot have there.
#[must_use]
pub fn escape_query(query: &str) -> String {
    escape(query, |byte| matches!(byte, b'!' | b'$'..=b';' | b'=' | b'?'..=b'~'))
}

/// A path with every byte escaped that a URI cannot have there. An escape that it has stays as it is.
#[must_use]
pub fn escape_path(path: &str) -> String {
    escape(path, |byte| matches!(byte, b'!' | b'$'..=b';' | b'=' | b'@'..=b'[' | b']' | b'_' | b'a'..=b'z' | b'|' | b'~'))
}

fn escape(text: &str, is_plain: impl Fn(u8) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped.truncate(MAX_BYTES);
    escaped
}

/// Escapes the target of every event before it becomes a request: `lambda_http` panics on one that is no URI.
#[derive(Debug, Clone)]
pub(super) struct Escaped<S>(pub(super) S);

impl<S: Service<LambdaEvent<LambdaRequest>>> Service<LambdaEvent<LambdaRequest>> for Escaped<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut event: LambdaEvent<LambdaRequest>) -> S::Future {
        if let LambdaRequest::ApiGatewayV2(request) = &mut event.payload {
            escape_target(request);
        }
        self.0.call(event)
    }
}

fn escape_target(request: &mut ApiGatewayV2httpRequest) {
    let path = escape_path(request.raw_path.as_deref().unwrap_or_default());
    request.raw_path = Some(if path.starts_with('/') { path } else { format!("/{path}") });
    request.raw_query_string = request.raw_query_string.as_deref().map(escape_query);
    // Host and scheme become a part of the URI, too. Nothing here reads them.
    let is_host =
        |host: &str| Url::parse(&format!("https://{host}/")).is_ok_and(|url| url.path() == "/" && url.fragment().is_none());
    if request.headers.get(HOST).is_some_and(|host| !host.to_str().is_ok_and(is_host)) {
        request.headers.remove(HOST);
    }
    if request.request_context.domain_name.as_deref().is_some_and(|host| !is_host(host)) {
        request.request_context.domain_name = None;
    }
    if request.headers.get(FORWARDED_PROTO).is_some_and(|scheme| scheme != "https" && scheme != "http") {
        request.headers.remove(FORWARDED_PROTO);
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::Uri;
    use axum::routing::get;
    use lambda_http::{Adapter, Context};
    use serde_json::{Value, json};

    use super::super::service::envelope;
    use super::*;
    use crate::app::App;
    use crate::config::Config;

    /// The reply of a function to an event of API Gateway.
    async fn reply(path: &str, query: &str, host: &str) -> Value {
        let app = App::unconnected(Config::from_lookup(|_| None).expect("the defaults")).await;
        let routes = Router::new().route("/echo", get(async |uri: Uri| uri.query().unwrap_or_default().to_owned()));
        let mut function = Escaped(Adapter::from(envelope(routes, app)));
        let event = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": query,
            "headers": { "host": host, "x-forwarded-proto": "https" },
            "requestContext": {
                "accountId": "1", "apiId": "a", "domainName": "a.execute-api.example", "domainPrefix": "a", "requestId": "r",
                "routeKey": "$default", "stage": "$default", "time": "28/Nov/2026:09:00:00 +0000", "timeEpoch": 1,
                "http": { "method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test" },
            },
            "isBase64Encoded": false,
        });
        let payload: LambdaRequest = serde_json::from_value(event).expect("an event");
        let reply = function.call(LambdaEvent::new(payload, Context::default())).await.expect("a reply");
        serde_json::to_value(reply).expect("JSON")
    }

    #[tokio::test]
    async fn a_target_that_is_no_uri_reaches_the_routes_escaped() {
        for (query, seen) in [
            ("q=\"a\"", "q=%22a%22"),
            ("q=<a>", "q=%3Ca%3E"),
            ("q=a b", "q=a%20b"),
            ("q=a#b", "q=a%23b"),
            ("q=\u{fc}\u{1}", "q=%C3%BC%01"),
            ("q=%22+%2B&r=[{}]|^`\\", "q=%22+%2B&r=[{}]|^`\\"),
            ("", ""),
        ] {
            let reply = reply("/echo", query, "market.example").await;
            assert_eq!((&reply["statusCode"], &reply["body"]), (&json!(200), &json!(seen)), "{query}");
        }
        for path in ["/a \"b\"<c>", "/a#b?c", "a", "", ":99999", "/\u{fc}", "//x/", "/%zz"] {
            let reply = reply(path, "q=\"", "market.example").await;
            let body: Value = serde_json::from_str(reply["body"].as_str().unwrap_or_default()).expect("JSON");
            assert_eq!((&reply["statusCode"], &body["error"]["code"]), (&json!(404), &json!("NOT_FOUND")), "{path}");
        }
        for host in ["", "a b", "<", "a:99999", "[", "a/b", "a#b"] {
            assert_eq!(reply("/echo", "", host).await["statusCode"], 200, "{host}");
        }
        let long = reply("/echo", &"\"".repeat(70_000), "market.example").await;
        assert_eq!(long["statusCode"], 431);
    }

    #[test]
    fn what_is_a_uri_stays_as_it_is_and_what_is_escaped_is_one() {
        let every: String = (0..=255_u8).map(char::from).collect();
        assert!(format!("/?{}", escape_query(&every)).parse::<Uri>().is_ok());
        assert!(escape_path(&format!("/{every}")).parse::<Uri>().is_ok());
        for plain in ["q=a%20b&c=d+e", "from=2026-11-01T00:00:00%2B02:00", "a[]=1"] {
            assert_eq!(escape_query(plain), plain);
        }
        assert_eq!(escape_path("/api/v1/listings/a%20b"), "/api/v1/listings/a%20b");
    }
}
