//! Words of callers in errors: what may be a secret is not repeated.

use crochet_domain::api_key::API_KEY_PREFIX;

/// Removes the value from a message of serde (`invalid type: string "…", expected …`): it may be a secret in the wrong field.
pub(super) fn without_value(problem: &str) -> String {
    let repeated = problem.strip_prefix("invalid type: ").or(problem.strip_prefix("invalid value: "));
    match repeated.and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((found, expected)) => {
            let kind = found.split(['"', '`']).next().unwrap_or_default().trim_end();
            format!("expected {expected}, found {}", if kind.is_empty() { "something else" } else { kind })
        }
        None => problem.to_owned(),
    }
}

/// Masks API keys: messages of serde repeat the caller's text.
pub(super) fn masked(text: &str) -> String {
    let mut parts = text.split(API_KEY_PREFIX);
    let mut safe = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        safe.push_str(API_KEY_PREFIX);
        safe.push('…');
        safe.push_str(part.trim_start_matches(|c: char| c.is_ascii_alphanumeric()));
    }
    safe
}
