//! A route in the short form: what it takes, with limits, what it returns, as types, and its errors.

use std::fmt::Write;

use serde_json::Value;

use super::example;
use super::notation::Notation;
use super::operation::{Operation, description, one_line, resolve};
use crate::generate::openapi;

/// How to read the routes. The sets of errors in it are [`SETS`] and [`EVERY`].
pub(super) const LEGEND: &str = "
## Reading the routes

Paths are below {PUBLIC_URL}/api/v1. Auth is what a route takes: a key (with its scope), a session (of a person, on the site), or none.
\"field?\" may be left out or null. A field without a type is a string. 1..80 are lengths, values or numbers of items; = is the default.
Types with capitals are listed under Types. A field that was described before is only named. Replies show data; the envelope is around it.
[every] HEADER_TOO_LARGE INTERNAL_ERROR. [key] UNAUTHORIZED INVALID_API_KEY INSUFFICIENT_SCOPE RATE_LIMITED SERVICE_UNAVAILABLE.
[body] INVALID_JSON UNKNOWN_FIELD INVALID_REQUEST UNSUPPORTED_MEDIA_TYPE PAYLOAD_TOO_LARGE. [limited] RATE_LIMITED SERVICE_UNAVAILABLE.
[owner] ROLE_REQUIRED NOT_LISTING_OWNER LISTING_NOT_FOUND. [proof] INVALID_WALLET_ADDRESS CHALLENGE_INVALID SIGNATURE_INVALID CHAIN_UNAVAILABLE.
Every route has [every]. Routes with * are described in the long form.
";

/// Codes that no line repeats.
const EVERY: [&str; 2] = ["HEADER_TOO_LARGE", "INTERNAL_ERROR"];
/// Sets of codes that lines name together.
const SETS: [(&str, &[&str]); 5] = [
    ("[key]", &["UNAUTHORIZED", "INVALID_API_KEY", "INSUFFICIENT_SCOPE", "RATE_LIMITED", "SERVICE_UNAVAILABLE"]),
    ("[body]", &["INVALID_JSON", "UNKNOWN_FIELD", "INVALID_REQUEST", "UNSUPPORTED_MEDIA_TYPE", "PAYLOAD_TOO_LARGE"]),
    ("[limited]", &["RATE_LIMITED", "SERVICE_UNAVAILABLE"]),
    ("[owner]", &["ROLE_REQUIRED", "NOT_LISTING_OWNER", "LISTING_NOT_FOUND"]),
    ("[proof]", &["INVALID_WALLET_ADDRESS", "CHALLENGE_INVALID", "SIGNATURE_INVALID", "CHAIN_UNAVAILABLE"]),
];

/// Routes that programs with keys have no use for, and tables of figures: they get one line. The long form describes them.
const IN_ONE_LINE: &[&str] = &[
    "/auth/passkey/",
    "/session",
    "/webhooks/",
    "/agents/{id}/claim",
    "/api-keys/report-leak",
    "/listings/{id}/openapi.json",
    "/agents/{id}/erc8004/",
    "/agents/{id}/reviews",
    "/agents/{id}/score/",
    "/listings/{id}/stats",
    "/stats",
];

pub(super) fn write<'a>(out: &mut String, operation: &Operation<'a>, notation: &mut Notation<'a>) {
    let path = operation.path.strip_prefix("/api/v1").unwrap_or(operation.path);
    let summary = one_line(operation.described["summary"].as_str().unwrap_or_default());
    let summary = summary.trim_end_matches('.');
    if IN_ONE_LINE.iter().any(|start| path.starts_with(start)) {
        let summary = summary.split([':', '.']).next().unwrap_or_default();
        let _ = write!(out, "\n### {} {path} *\n{summary}.\n", operation.method);
        return;
    }
    let _ = write!(out, "\n### {} {path}\n{summary}. Auth: {}.\n", operation.method, operation.auth());
    details(out, operation, notation);
    let _ = writeln!(out, "Errors: {}", errors(notation.document(), operation.described));
}

fn details<'a>(out: &mut String, operation: &Operation<'a>, notation: &mut Notation<'a>) {
    let described: &'a Value = operation.described;
    let document = notation.document();
    for parameter in described["parameters"].as_array().into_iter().flatten() {
        let (name, place) = (parameter["name"].as_str().unwrap_or_default(), parameter["in"].as_str().unwrap_or_default());
        if place == "path" {
            continue;
        }
        let text = one_line(parameter["description"].as_str().unwrap_or_default());
        let kind = notation.kind(&parameter["schema"]);
        let member = if kind.is_empty() { format!("{place} {name}") } else { format!("{place} {name}: {kind}") };
        line(out, notation, &member, &text);
    }
    let body = &described["requestBody"]["content"]["application/json"];
    let schema = resolve(document, &body["schema"]);
    let members: Vec<(String, String)> = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, property)| (notation.member(schema, name, property), description(document, property)))
        .collect();
    let shape = members.iter().map(|(member, _)| member.as_str()).collect::<Vec<_>>().join(", ");
    let path = operation.path.strip_prefix("/api/v1").unwrap_or(operation.path);
    let before = match members.len() {
        0..=2 => None,
        _ => notation.taken_before(&shape, format!("{} {path}", operation.method)).map(str::to_owned),
    };
    match &before {
        Some(route) => drop(writeln!(out, "- the body of {route}")),
        None => members.iter().for_each(|(member, text)| line(out, notation, member, text)),
    }
    if !body["schema"].is_null() && members.is_empty() {
        let text = one_line(described["requestBody"]["description"].as_str().unwrap_or_default());
        let _ = writeln!(out, "- the body. {}", text.trim_end_matches('.'));
    }
    if let Some(request) = example::request(document, body).filter(|_| before.is_none()) {
        let _ = writeln!(out, "Request: {request}");
    }
    for (status, response) in described["responses"].as_object().into_iter().flatten() {
        let whole = &response["content"]["application/json"]["schema"];
        if whole.is_null() || !(status.starts_with('2') || status == "402") {
            continue;
        }
        let envelope = resolve(document, whole);
        let data = if envelope["properties"]["data"].is_null() { whole } else { &envelope["properties"]["data"] };
        let _ = writeln!(out, "{status}: {}", notation.shape(resolve(document, data)));
    }
}

/// A parameter or field. One that was described before, by this name and with this type, is only named.
fn line(out: &mut String, notation: &mut Notation<'_>, member: &str, text: &str) {
    let text = essence(text, member);
    // A default is told wherever it holds.
    if text.is_empty() || (notation.is_known(member) && !text.contains("default")) {
        let _ = writeln!(out, "- {member}");
    } else {
        let _ = writeln!(out, "- {member}. {text}");
    }
}

/// Words of sentences that stay in the short form, besides the first sentence.
const TELLING: [&str; 5] = ["default", "t most", "ull ", "must", "never"];

/// The first sentence, and those after it that state a default or a limit. Nothing if they only repeat the values of the type.
fn essence(text: &str, member: &str) -> String {
    let mut sentences = text.trim_end_matches('.').split(". ");
    let first = sentences.next().unwrap_or_default();
    let others: Vec<&str> = sentences.filter(|sentence| TELLING.iter().any(|word| sentence.contains(word))).collect();
    let is_list = first.split(['`', ',', ' ']).filter(|word| !word.is_empty() && *word != "or").all(|word| member.contains(word));
    let first = if is_list { None } else { Some(first) };
    first.into_iter().chain(others).collect::<Vec<_>>().join(". ")
}

fn errors(document: &Value, described: &Value) -> String {
    let mut codes = openapi::error_codes(document, described);
    codes.retain(|code| !EVERY.contains(code));
    let mut parts = Vec::new();
    for (name, set) in SETS {
        if set.iter().all(|code| codes.contains(code)) {
            codes.retain(|code| !set.contains(code));
            parts.push(name);
        }
    }
    parts.extend(codes);
    if parts.is_empty() { "[every]".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_form_keeps_what_a_caller_must_know() {
        let text = "Number of calls. They are many. The default is 20.";
        assert_eq!(essence(text, "limit: int"), "Number of calls. The default is 20");
        assert_eq!(essence("`free` or `per_call`.", "pricing_model: free|per_call"), "");
    }

    #[test]
    fn the_legend_names_the_sets() {
        for (name, codes) in SETS.iter().copied().chain([("[every]", &EVERY[..])]) {
            assert!(LEGEND.contains(&format!("{name} {}.", codes.join(" "))), "{name}");
        }
    }
}
