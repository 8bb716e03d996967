//! The outermost layer of every group: request id, envelope, limits of the request line, meter and log line.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use crochet_domain::ids::{ProfileId, random_bytes};
use crochet_domain::timestamp::unix_ms;
use lambda_http::request::RequestContext;
use time::OffsetDateTime;

use super::accept::prefers_html;
use super::codes::Code;
use super::compress::{accepts_gzip, compress, quality, vary};
use super::cors;
use super::error::ApiError;
use super::request::MAX_QUERY_BYTES;
use super::stray_query;
use super::suggest::not_found;
use super::trace::RequestTrace;
use crate::app::{App, ErrorSeen};
use crate::outbound::SelfHost;
use crate::telemetry::meter::Meter;
use crate::telemetry::metrics::{self, Metric};

/// Maximum length of a header value, in bytes.
pub const MAX_HEADER_BYTES: usize = 8_192;
const PROBLEM_JSON: &str = "application/problem+json";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Wraps a router: every response has the envelope and a request id.
pub fn envelope(router: Router, app: App) -> Router {
    router
        .fallback(async |method: Method, uri: Uri| not_found(Code::NotFound, &method, &uri))
        .method_not_allowed_fallback(async |method: Method, uri: Uri| not_found(Code::MethodNotAllowed, &method, &uri))
        .layer(axum::middleware::from_fn_with_state(app, envelope_layer))
}

async fn envelope_layer(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    // Layers of a router run after its routing, so the matched route is known here.
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let trace = RequestTrace::default();
    let meter = Meter::default();
    request.extensions_mut().insert(trace.clone());
    let mut access_id = None;
    if let Some(RequestContext::ApiGatewayV2(context)) = request.extensions().get() {
        access_id.clone_from(&context.request_id);
        if let Some(id) = &context.apiid {
            SelfHost::of_process().set(id);
        }
    }
    app.follow_clock().await;
    let request_id = request_id(app.clock.now());
    let is_open = cors::is_open(&route);
    let (gzip, as_problem) = (accepts_gzip(request.headers()), accepts_problem(request.headers()));
    let path = request.uri().path().to_owned();
    let error_page = app.error_page.filter(|_| asks_for_page(&method, &path, request.headers()));
    let mut response = match check_line(&request).and_then(|()| stray_query::check(&method, &route, request.uri())) {
        Ok(()) if is_open && cors::is_preflight(&method, request.headers()) => cors::preflight(),
        Ok(()) => meter.scope(next.run(request)).await,
        Err(e) => axum::response::IntoResponse::into_response(e),
    };
    let error = response.extensions_mut().remove::<ApiError>().or_else(|| framework_error(&response));
    if let (Some(error), Some(page)) = (&error, error_page) {
        let seen = ErrorSeen {
            status: error.code().status().as_u16(),
            code: error.code().as_str(),
            message: error.told(),
            path: &path,
            request_id: &request_id,
            config: &app.config,
        };
        render_page(&mut response, error, page(&seen));
    } else if let Some(error) = &error {
        *response.status_mut() = error.code().status();
        let body = if as_problem { error.problem(&app.config, &request_id) } else { error.body(&app.config) };
        let content_type = HeaderValue::from_static(if as_problem { PROBLEM_JSON } else { "application/json" });
        render(&mut response, error, content_type, Body::from(body.to_string()));
    }
    let mut response = compress(response, gzip).await;
    let (profile, limit) = trace.notes();
    let headers = response.headers_mut();
    if let Some(limit) = limit {
        limit.describe(headers);
    }
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert(REQUEST_ID, value);
    }
    if is_open {
        cors::open(headers);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let cost = meter.cost();
    log(&Line {
        request_id: &request_id,
        access_id: access_id.as_deref(),
        method: &method,
        route: &route,
        status: response.status(),
        began,
        profile,
        error: error.as_ref(),
        cost: &cost,
    });
    metrics::emit(&measured(&route, response.status(), error.as_ref()));
    app.costs.note(&request_id, &route, cost);
    response
}

/// What alarms and the dashboard show of a reply. A status of 500 or above without an error is a failure of ours.
fn measured(route: &str, status: StatusCode, error: Option<&ApiError>) -> Vec<(Metric, i64)> {
    static WARM: AtomicBool = AtomicBool::new(false);
    let (is_failure, is_ours) = (status.is_server_error(), error.is_none_or(ApiError::is_ours));
    let mut measured = Vec::new();
    if !WARM.swap(true, Ordering::Relaxed) {
        measured.push((Metric::ColdStarts, 1));
    }
    if route.starts_with("/api/v1/gateway") {
        measured.push((Metric::GatewayRequests, 1));
        measured.push((Metric::GatewayServerErrors, i64::from(is_failure && is_ours)));
    }
    if is_failure && !is_ours {
        measured.push((Metric::UpstreamErrors, 1));
    }
    if status == StatusCode::CREATED && matches!(route, "/api/v1/register" | "/api/v1/auth/passkey/register/finish") {
        measured.push((Metric::Registrations, 1));
    }
    measured
}

/// The error for a rejection by the framework, which does not know the envelope. A page has said already what is wrong.
fn framework_error(response: &Response) -> Option<ApiError> {
    let status = response.status();
    match status.as_u16() {
        400.. if is_page(response) => None,
        0..400 => None,
        404 => Some(Code::NotFound.into()),
        405 => Some(Code::MethodNotAllowed.into()),
        413 => Some(Code::PayloadTooLarge.into()),
        415 => Some(Code::UnsupportedMediaType.into()),
        400..500 => Some(ApiError::field("path", "must be valid percent-encoded UTF-8")),
        _ => Some(ApiError::internal(format!("a response with status {status} has no error"))),
    }
}

fn is_page(response: &Response) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// Whether an error should be a page. Nothing under `/api` is one.
fn asks_for_page(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    matches!(*method, Method::GET | Method::HEAD) && path != "/api" && !path.starts_with("/api/") && prefers_html(headers)
}

/// Replaces a response by the page of its error.
fn render_page(response: &mut Response, error: &ApiError, page: Response) {
    let (parts, body) = page.into_parts();
    *response.status_mut() = error.code().status();
    let headers = response.headers_mut();
    headers.extend(parts.headers);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.remove(header::CONTENT_LENGTH);
    vary(headers, "accept");
    if let Some(seconds) = error.retry_after_seconds() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    *response.body_mut() = body;
}

fn check_line(request: &Request) -> Result<(), ApiError> {
    let long_query = request.uri().query().is_some_and(|query| query.len() > MAX_QUERY_BYTES);
    let long_header = request.headers().values().any(|value| value.len() > MAX_HEADER_BYTES);
    if long_query || long_header || request.uri().path().len() > MAX_QUERY_BYTES {
        Err(Code::HeaderTooLarge.into())
    } else {
        Ok(())
    }
}

/// Whether a request asks for problem documents by their name.
fn accepts_problem(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(quality).any(|(name, wanted)| wanted && name == PROBLEM_JSON)
}

fn render(response: &mut Response, error: &ApiError, content_type: HeaderValue, body: Body) {
    let unauthorized = response.status() == StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.remove(header::CONTENT_LENGTH);
    vary(headers, "accept");
    if let Some(seconds) = error.retry_after_seconds() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if unauthorized {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"crochet\""));
    }
    *response.body_mut() = body;
}

struct Line<'a> {
    request_id: &'a str,
    /// API Gateway's id of the request, which its access log has too.
    access_id: Option<&'a str>,
    method: &'a Method,
    route: &'a str,
    status: StatusCode,
    began: Instant,
    profile: Option<ProfileId>,
    error: Option<&'a ApiError>,
    cost: &'a crate::telemetry::meter::Cost,
}

/// Logs one line per request. It never contains a key, secret, body or endpoint URL.
fn log(line: &Line<'_>) {
    let Line { request_id, access_id, method, route, status, began, profile, error, cost } = line;
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let profile = profile.map(|id| id.to_string());
    let code = error.map(|error| error.code().as_str());
    let cause = error.and_then(|error| error.operator_message());
    let alarm = error.is_some_and(|error| error.is_alarm());
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                request_id, access_id, %method, route, status = status.as_u16(), ms, profile, code, cause, alarm,
                trips = cost.serial_trips, read_units = cost.read_units, write_units = cost.write_units, "request"
            )
        };
    }
    if alarm || status.is_server_error() { line!(error) } else { line!(info) }
}

fn request_id(now: OffsetDateTime) -> String {
    let ms = u64::try_from(unix_ms(now)).unwrap_or(0);
    format!("req_{}", ulid::Ulid::from_parts(ms, u128::from_be_bytes(random_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint_secrets::SecretStoreError;
    use crate::http::gate::closed;
    use crate::store::gate::Gate;

    #[test]
    fn only_failures_of_ours_count_as_ours() {
        let of = |error: ApiError| {
            let found = measured("/api/v1/gateway/{listing_id}", error.code().status(), Some(&error));
            let value = |metric: Metric| found.iter().filter(|(of, _)| *of == metric).map(|(_, value)| value).sum::<i64>();
            (value(Metric::GatewayServerErrors), value(Metric::UpstreamErrors))
        };
        assert_eq!(of(ApiError::internal("a defect")), (1, 0));
        assert_eq!(of(Code::ServiceUnavailable.into()), (1, 0));
        assert_eq!(of(Code::SellerTimeout.into()), (0, 1));
        assert_eq!(of(closed(Gate::Quotes)), (0, 1));
        assert_eq!(of(SecretStoreError::Timeout.into()), (1, 0));
        assert_eq!(of(SecretStoreError::NotFound.into()), (0, 1));
        assert_eq!(of(Code::PaymentRequired.into()), (0, 0));
    }
}
