//! What is told of a path that does not exist, or not with that method: the nearest route.

use axum::http::{Method, Uri};
use serde_json::json;
use strsim::osa_distance;

use super::codes::Code;
use super::error::ApiError;
use super::route_table::{ROUTES, Route};

/// The base of the API.
const BASE: &str = "/api/v1";
/// The highest cost of a route that is still told.
const MAX_COST: usize = 6;
/// Paths of more segments than this are not compared.
const MAX_SEGMENTS: usize = 12;

/// Beginnings that people write instead of ours. Guides for agents shorten some paths.
const ALIASES: &[(&str, &[&str])] = &[
    ("account", &["me"]),
    ("agent", &["agents"]),
    ("apikeys", &["api-keys"]),
    ("call", &["gateway"]),
    ("calls", &["gateway-requests"]),
    ("challenge", &["auth", "challenge"]),
    ("docs", &["docs", "api-reference.txt"]),
    ("documentation", &["docs", "api-reference.txt"]),
    ("endpoint", &["listings", ":id", "endpoint"]),
    ("healthz", &["health"]),
    ("history", &["gateway-requests"]),
    ("identity", &["me"]),
    ("invoke", &["gateway"]),
    ("keys", &["api-keys"]),
    ("login", &["auth", "challenge"]),
    ("marketplace", &["listings"]),
    ("openapi", &["openapi.json"]),
    ("openapi.yaml", &["openapi.json"]),
    ("payments", &["ledger"]),
    ("ping", &["health"]),
    ("products", &["listings"]),
    ("profile", &["me"]),
    ("profiles", &["agents"]),
    ("recover", &["auth", "recover"]),
    ("reference", &["docs", "api-reference.txt"]),
    ("requests", &["gateway-requests"]),
    ("search", &["listings"]),
    ("sellers", &["agents"]),
    ("services", &["listings"]),
    ("signup", &["register"]),
    ("status", &["health"]),
    ("swagger.json", &["openapi.json"]),
    ("transactions", &["ledger"]),
    ("user", &["me"]),
    ("users", &["agents"]),
    ("wallets", &["me", "wallets"]),
    ("whoami", &["me"]),
];

/// A route that may have been meant.
struct Candidate {
    cost: usize,
    method: Method,
    path: String,
}

/// The error for a request that no route matches.
pub(super) fn not_found(code: Code, method: &Method, uri: &Uri) -> ApiError {
    let error = match code {
        Code::MethodNotAllowed => return method_not_allowed(method, uri.path()),
        _ => ApiError::new(code),
    };
    match nearest(method, uri.path()) {
        Some(found) => suggest(error, method, &found),
        None => error,
    }
}

fn suggest(error: ApiError, sent: &Method, found: &Candidate) -> ApiError {
    let Candidate { method, path, .. } = found;
    let what = if method == sent { "Send the same request" } else { "Send the request" };
    let id = match path.split('/').find(|segment| segment.starts_with(':')) {
        Some(name) => format!(", with the id in the place of {name}"),
        None => String::new(),
    };
    error
        .message(format!("There is no such path; {method} {path} may be meant{id}."))
        .detail("method", method.as_str())
        .detail("path", path.as_str())
        .recovery("next_action", "use_suggested_path")
        .recovery("summary", format!("{what} to {method} {path}{id}."))
}

fn method_not_allowed(sent: &Method, path: &str) -> ApiError {
    let error = ApiError::new(Code::MethodNotAllowed);
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let fits = |route: &&Route| {
        let theirs = route.segments();
        theirs.len() == segments.len() && theirs.iter().zip(&segments).all(|(a, b)| a.starts_with('{') || a == b)
    };
    // A literal path comes before one with a parameter.
    let here = ROUTES.iter().filter(fits).min_by_key(|route| route.path.matches('{').count());
    let Some(here) = here else {
        // A page. Whoever wants more than to read it may mean the route of the API.
        let Some(found) = nearest(sent, path) else { return error };
        return suggest(error, sent, &found).message(format!("{path} is a page. {} {} may be meant.", found.method, found.path));
    };
    let allowed = here.methods();
    let swapped = if *sent == Method::PUT { Method::PATCH } else { Method::PUT };
    let for_change = matches!(*sent, Method::PUT | Method::PATCH).then_some(swapped).filter(|method| here.has(method));
    // The list was named, and one of its items was meant.
    let item = format!("{}/:id", path.trim_end_matches('/'));
    let of_item = ROUTES
        .iter()
        .find(|route| route.has(sent) && route.path.rsplit_once("/{").is_some_and(|(list, _)| list == path.trim_end_matches('/')));
    let only = match here.operations.as_slice() {
        [only] => Some(only.method.clone()),
        _ => None,
    };
    let found = match (for_change, of_item, only) {
        (Some(method), ..) => Candidate { cost: 0, method, path: path.to_owned() },
        (None, Some(_), _) => Candidate { cost: 0, method: sent.clone(), path: item },
        (None, None, Some(method)) => Candidate { cost: 0, method, path: path.to_owned() },
        (None, None, None) => {
            return error
                .message(format!("{path} is there for {}, and not for {sent}.", allowed.join(", ")))
                .detail("allow", json!(allowed))
                .recovery("summary", format!("Use one of the methods of this path: {}.", allowed.join(", ")));
        }
    };
    suggest(error, sent, &found)
        .message(format!("{path} is there for {}, and not for {sent}.", allowed.join(", ")))
        .detail("allow", json!(allowed))
}

/// The route that is most like a request.
fn nearest(method: &Method, path: &str) -> Option<Candidate> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    if segments.len() > MAX_SEGMENTS {
        return None;
    }
    let is_base = |segment: &&str| {
        let lower = segment.to_ascii_lowercase();
        lower == "api"
            || lower == "rest"
            || lower.strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    let bare: Vec<&str> = segments.iter().skip_while(|segment| is_base(segment)).copied().collect();
    let mut readings = vec![bare.clone(), segments];
    if let Some((first, rest)) = bare.split_first() {
        let first = first.to_ascii_lowercase().replace(['-', '_'], "");
        let meant = ALIASES.iter().filter(|(alias, _)| alias.replace(['-', '_'], "") == first);
        readings.extend(meant.map(|(_, ours)| ours.iter().copied().chain(rest.iter().copied()).collect()));
    }
    let candidates = readings.iter().enumerate().flat_map(|(at, reading)| {
        ROUTES.iter().filter_map(move |route| {
            let mut candidate = compare(route, reading, method)?;
            // What was written comes before what it may stand for.
            candidate.cost += at.min(1);
            Some(candidate)
        })
    });
    candidates.filter(|candidate| candidate.cost <= MAX_COST).min_by_key(|candidate| candidate.cost)
}

/// How much a route differs from what was written, if it is alike at all.
fn compare(route: &Route, written: &[&str], sent: &Method) -> Option<Candidate> {
    let whole = route.segments();
    let bare = route.path.strip_prefix(BASE).map(|rest| rest.split('/').filter(|segment| !segment.is_empty()).collect::<Vec<_>>());
    let template = bare.as_ref().unwrap_or(&whole);
    // Nothing but the base was written.
    if template.is_empty() || written.is_empty() {
        let same = template.is_empty() && written.is_empty() && bare.is_some();
        return same.then(|| Candidate { cost: 0, method: Method::GET, path: BASE.to_owned() });
    }
    let mut cost = 0;
    let mut path = if bare.is_some() { BASE.to_owned() } else { String::new() };
    let mut literals = 0;
    for (at, theirs) in template.iter().enumerate() {
        let ours = written.get(at);
        path.push('/');
        match (theirs.strip_prefix('{'), ours) {
            (Some(name), None) if at + 1 == template.len() => {
                cost += 3;
                path.push(':');
                path.push_str(if name.ends_with("id}") { "id" } else { name.trim_end_matches('}') });
            }
            (Some(_), Some(value)) => {
                cost += 1;
                path.push_str(value);
            }
            (None, Some(word)) => {
                cost += difference(word, theirs)?;
                literals += 1;
                path.push_str(theirs);
            }
            (_, None) => return None,
        }
    }
    // One segment too many: `/listings/:id/details`.
    cost += match written.len().saturating_sub(template.len()) {
        0 => 0,
        1 if template.len() > 1 => 4,
        _ => return None,
    };
    if literals == 0 {
        return None;
    }
    let method = if route.has(sent) {
        sent.clone()
    } else {
        cost += 2;
        route.operations.first()?.method.clone()
    };
    Some(Candidate { cost, method, path })
}

/// How much two segments differ: not at all, in case, punctuation or number, or by a typing error or two.
fn difference(written: &str, theirs: &str) -> Option<usize> {
    if written == theirs {
        return Some(0);
    }
    let plain = |text: &str| text.to_ascii_lowercase().replace(['-', '_'], "");
    let (a, b) = (plain(written), plain(theirs));
    let singular = |text: &str| match text.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => text.strip_suffix('s').unwrap_or(text).to_owned(),
    };
    let stem = |text: &str| text.rsplit_once('.').map_or_else(|| text.to_owned(), |(stem, _)| stem.to_owned());
    if a == b || singular(&a) == singular(&b) || stem(&a) == b || a == stem(&b) {
        return Some(1);
    }
    let allowed = match b.len() {
        0..=3 => 0,
        4..=6 => 1,
        _ => 2,
    };
    (osa_distance(&a, &b) <= allowed).then_some(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(method: Method, path: &'static str) -> String {
        let config = crate::config::Config::from_lookup(|_| None).expect("the defaults");
        let details = not_found(Code::NotFound, &method, &Uri::from_static(path)).body(&config)["error"]["details"].clone();
        match (details["method"].as_str(), details["path"].as_str()) {
            (Some(method), Some(path)) => format!("{method} {path}"),
            _ => String::new(),
        }
    }

    #[test]
    fn an_unknown_path_gets_the_nearest_route() {
        for (sent, path, meant) in [
            ("POST", "/endpoint/test", "POST /api/v1/listings/:id/endpoint/test"),
            ("POST", "/api/v1/endpoint/rotate-secret", "POST /api/v1/listings/:id/endpoint/rotate-secret"),
            ("POST", "/register", "POST /api/v1/register"),
            ("POST", "/api/v1/register/", "POST /api/v1/register"),
            ("POST", "/api/auth/recover", "POST /api/v1/auth/recover"),
            ("GET", "/v1/listings", "GET /api/v1/listings"),
            ("GET", "//api//v1//listings", "GET /api/v1/listings"),
            ("GET", "/api/v2/listings", "GET /api/v1/listings"),
            ("GET", "/api/v1/listing", "GET /api/v1/listings"),
            ("GET", "/api/v1/listing/some-slug", "GET /api/v1/listings/some-slug"),
            ("GET", "/api/v1/category", "GET /api/v1/categories"),
            ("GET", "/api/v1/wallets", "GET /api/v1/me/wallets"),
            ("PATCH", "/api/v1/wallets/abc", "PATCH /api/v1/me/wallets/abc"),
            ("GET", "/api/v1/apikeys", "GET /api/v1/api-keys"),
            ("GET", "/api/v1/gateway_requests", "GET /api/v1/gateway-requests"),
            ("POST", "/api/v1/gatway/some-slug", "POST /api/v1/gateway/some-slug"),
            ("POST", "/api/v1/auth/challange", "POST /api/v1/auth/challenge"),
            ("POST", "/api/v1/challenge", "POST /api/v1/auth/challenge"),
            ("POST", "/api/v1/listing/challenge", "POST /api/v1/listings/challenge"),
            ("GET", "/openapi.json", "GET /api/v1/openapi.json"),
            ("GET", "/docs", "GET /docs/api-reference.txt"),
            ("GET", "/docs/api-reference.md", "GET /docs/api-reference.txt"),
            ("GET", "/api/v1/ledgers/", "GET /api/v1/ledger"),
            ("GET", "/ME", "GET /api/v1/me"),
            ("HEAD", "/listings", "HEAD /api/v1/listings"),
        ] {
            assert_eq!(told(sent.parse().expect("a method"), path), meant, "{sent} {path}");
        }
        for path in ["/nothing/like/it", "/favicon.ico", "/wp-login.php", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n"] {
            assert_eq!(told(Method::GET, path), "", "{path}");
        }
    }

    #[test]
    fn a_method_that_is_not_there_gets_one_that_is() {
        let told = |method: &str, path: &'static str| {
            let config = crate::config::Config::from_lookup(|_| None).expect("the defaults");
            let method: Method = method.parse().expect("a method");
            not_found(Code::MethodNotAllowed, &method, &Uri::from_static(path)).body(&config)["error"].clone()
        };
        for (sent, path, summary) in [
            ("GET", "/api/v1/register", "Send the request to POST /api/v1/register."),
            (
                "PATCH",
                "/api/v1/me/wallets",
                "Send the same request to PATCH /api/v1/me/wallets/:id, with the id in the place of :id.",
            ),
            (
                "DELETE",
                "/api/v1/api-keys",
                "Send the same request to DELETE /api/v1/api-keys/:id, with the id in the place of :id.",
            ),
            ("PUT", "/api/v1/listings/x", "Send the request to PATCH /api/v1/listings/x."),
            ("PATCH", "/api/v1/listings/x/endpoint", "Send the request to PUT /api/v1/listings/x/endpoint."),
            ("DELETE", "/api/v1/me", "Use one of the methods of this path: GET, PATCH."),
            ("DELETE", "/listings/x", "Send the same request to DELETE /api/v1/listings/x."),
        ] {
            assert_eq!(told(sent, path)["recovery"]["summary"], summary, "{sent} {path}");
        }
    }
}
