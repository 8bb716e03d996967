//! Suggestions for unknown paths. Guides for agents shorten some paths; an agent that takes one literally is told the whole path.

use axum::http::{Method, Uri};

use super::codes::Code;
use super::error::ApiError;

/// Method, shortened path, whole path.
const SHORTENED: [(Method, &str, &str); 3] = [
    (Method::PATCH, "/me/wallets", "/me/wallets/:id"),
    (Method::POST, "/endpoint/test", "/listings/:id/endpoint/test"),
    (Method::POST, "/endpoint/rotate-secret", "/listings/:id/endpoint/rotate-secret"),
];

/// The first segments of the paths below the base.
const FIRST: [&str; 13] = [
    "agents",
    "api-keys",
    "auth",
    "categories",
    "gateway",
    "gateway-requests",
    "health",
    "ledger",
    "listings",
    "me",
    "register",
    "reviews",
    "session",
];

/// The error for a request that no route matches.
pub(super) fn not_found(code: Code, method: &Method, uri: &Uri) -> ApiError {
    let path = uri.path().strip_prefix("/api/v1").unwrap_or(uri.path());
    match SHORTENED.iter().find(|(known, short, _)| known == method && *short == path) {
        Some((_, _, whole)) => ApiError::new(code)
            .message(format!("The full path is {method} {whole}; put the id in its place."))
            .detail("path", format!("/api/v1{whole}"))
            .recovery("next_action", "read_api_reference")
            .recovery("summary", format!("Send the same request to {method} /api/v1{whole}, with the id in its place.")),
        None => match without_base(uri.path()) {
            Some(whole) if code == Code::NotFound => ApiError::new(code)
                .message(format!("The API is under /api/v1; send the request to {whole}."))
                .detail("path", whole.as_str())
                .recovery("summary", format!("Send the same request to {method} {whole}.")),
            _ => code.into(),
        },
    }
}

/// The whole path for one without the base, which is how messages and recovery advice write paths: `/register`.
fn without_base(path: &str) -> Option<String> {
    let rest = path.strip_prefix("/api").unwrap_or(path);
    let first = rest.split('/').nth(1)?;
    FIRST.contains(&first).then(|| format!("/api/v1{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortened_path_gets_the_full_one_and_any_other_gets_none() {
        let told = |method, path: &'static str| {
            let config = crate::config::Config::from_lookup(|_| None).expect("the defaults");
            not_found(Code::NotFound, &method, &Uri::from_static(path)).body(&config)["error"]["details"]["path"].clone()
        };
        assert_eq!(told(Method::PATCH, "/api/v1/me/wallets"), "/api/v1/me/wallets/:id");
        assert_eq!(told(Method::POST, "/endpoint/test"), "/api/v1/listings/:id/endpoint/test");
        assert_eq!(told(Method::POST, "/register"), "/api/v1/register");
        assert_eq!(told(Method::POST, "/api/auth/recover"), "/api/v1/auth/recover");
        for (method, path) in [(Method::PUT, "/api/v1/me/wallets"), (Method::PATCH, "/api/v1/me"), (Method::POST, "/")] {
            assert!(told(method, path).is_null(), "{path}");
        }
    }
}
