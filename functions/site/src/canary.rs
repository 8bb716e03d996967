//! The canary: asks a deployment over its public URL what a stranger would, of four functions.

use std::time::Duration;

use crochet::outbound::operator_client;
use reqwest::{Method, StatusCode};

/// What is asked, and the status of a deployment that works. The gateway wants a key before it looks for a listing.
const QUESTIONS: [(Method, &str, StatusCode); 4] = [
    (Method::GET, "/api/v1/health", StatusCode::OK),
    (Method::GET, "/api/v1/listings?limit=1", StatusCode::OK),
    (Method::GET, "/api/v1/stats", StatusCode::OK),
    (Method::POST, "/api/v1/gateway/canary", StatusCode::UNAUTHORIZED),
];

/// Time for one reply. Cold instances answer within it.
const PATIENCE: Duration = Duration::from_secs(6);

/// Asks every question of the deployment at `base`, a URL without a slash at its end.
///
/// # Errors
/// The questions without the right answer, and what came instead.
pub async fn ask(base: &str) -> Result<(), String> {
    let client = operator_client();
    let mut wrong = Vec::new();
    for (method, path, expected) in QUESTIONS {
        let reply = client.request(method, format!("{base}{path}")).timeout(PATIENCE).send().await;
        match reply.map(|reply| reply.status()) {
            Ok(status) if status == expected => {}
            Ok(status) => wrong.push(format!("{path}: {status}")),
            Err(error) => wrong.push(format!("{path}: {}", if error.is_timeout() { "no reply in time" } else { "no connection" })),
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}
