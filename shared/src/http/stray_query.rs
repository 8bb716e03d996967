//! Query parameters of routes that have none. Those of the others are checked where they are read.

use axum::http::{Method, Uri};

use super::codes::Code;
use super::error::ApiError;
use super::fields::{FieldProblems, Place};
use super::masked::masked;
use super::route_table::ROUTES;

/// Routes of others, or documents: what follows their path does not matter.
const EXEMPT: &[&str] = &["/api/v1/webhooks/", "/api/v1/openapi.json"];
/// Names under which clients put a key into the query.
const KEY_NAMES: &[&str] = &["access_token", "api-key", "api_key", "apikey", "authorization", "key", "token"];

/// Refuses parameters in the query of a route of the API that has none.
///
/// # Errors
/// `UNKNOWN_FIELD`, naming all of them.
pub(super) fn check(method: &Method, route: &str, uri: &Uri) -> Result<(), ApiError> {
    let Some(query) = uri.query().filter(|query| !query.is_empty()) else { return Ok(()) };
    if !route.starts_with("/api/v1/") || EXEMPT.iter().any(|exempt| route.starts_with(exempt)) {
        return Ok(());
    }
    let has_parameters =
        |known: &super::route_table::Route| known.operation(method).is_none_or(|operation| !operation.query.is_empty());
    if ROUTES.iter().find(|known| known.path == route).is_none_or(has_parameters) {
        return Ok(());
    }
    let mut problems = FieldProblems::new(Place::Query);
    let mut has_key = false;
    for (name, _) in url::form_urlencoded::parse(query.as_bytes()) {
        has_key |= KEY_NAMES.contains(&name.to_ascii_lowercase().as_str());
        problems.unknown(&masked(&name), &[]);
    }
    if problems.is_empty() {
        return Ok(());
    }
    let error = problems.into_error();
    Err(if has_key {
        error
            .message(
                "A key in a URL ends up in logs; send it in the header Authorization: Bearer am_k_…, and create a new one soon.",
            )
            .recovery("next_action", Code::Unauthorized.recovery().next_action)
            .recovery("summary", "Leave the query out, and send the key in the header Authorization, as `Bearer` and the key.")
    } else if matches!(*method, Method::POST | Method::PUT | Method::PATCH) {
        error.recovery("summary", "Leave the query out: what this request takes goes into its JSON body. Then send it again.")
    } else {
        error
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_routes_of_the_api_without_parameters_refuse_them() {
        let refused = |method: Method, route: &str, uri: &'static str| check(&method, route, &Uri::from_static(uri)).is_err();
        assert!(refused(Method::GET, "/api/v1/me", "/api/v1/me?x=1"));
        assert!(refused(Method::HEAD, "/api/v1/me", "/api/v1/me?x=1"));
        assert!(refused(Method::POST, "/api/v1/gateway/{listing_id}", "/api/v1/gateway/a?x"));
        assert!(!refused(Method::GET, "/api/v1/me", "/api/v1/me?"));
        assert!(!refused(Method::GET, "/api/v1/listings", "/api/v1/listings?x=1"));
        assert!(!refused(Method::GET, "/api/v1/openapi.json", "/api/v1/openapi.json?x=1"));
        assert!(!refused(Method::GET, "/docs/api-reference.txt", "/docs/api-reference.txt?utm_source=x"));
        assert!(!refused(Method::POST, "/api/v1/webhooks/{provider}", "/api/v1/webhooks/rail?x=1"));
        assert!(!refused(Method::GET, "unmatched", "/x?y"));
    }
}
