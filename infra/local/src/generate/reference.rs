//! The API reference as text, generated from the OpenAPI document and the error codes.

use std::collections::HashSet;
use std::fmt::Write;

use crochet::http::Code;
use crochet::limits;
use serde_json::Value;

use super::openapi;

const OPENING: &str = include_str!("opening.txt");

/// The whole text.
pub(super) fn text(document: &Value) -> String {
    let mut out = OPENING.to_owned();
    let mut shown = HashSet::new();
    for group in GROUPS {
        heading(&mut out, &group.to_uppercase());
        for (path, operations) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in operations.as_object().into_iter().flatten() {
                if operation["tags"][0].as_str().unwrap_or("Documents") == *group {
                    let route = Route { method: &method.to_uppercase(), path, operation };
                    route.write(&mut Page { out: &mut out, document, shown: &mut shown });
                }
            }
        }
    }
    limits_table(&mut out);
    errors(&mut out);
    actions(&mut out);
    out
}

/// The groups of routes, in the order of the reference.
const GROUPS: &[&str] = &["Identity", "People", "Catalog", "Listings", "Gateway and payments", "Documents"];

struct Route<'a> {
    method: &'a str,
    path: &'a str,
    operation: &'a Value,
}

/// The page so far. A schema is printed once and referred to by name afterwards.
struct Page<'a> {
    out: &'a mut String,
    document: &'a Value,
    shown: &'a mut HashSet<String>,
}

impl Route<'_> {
    fn write(&self, page: &mut Page<'_>) {
        let Self { method, path, operation } = self;
        let _ = write!(page.out, "\n{method} {path}\n");
        for text in [&operation["summary"], &operation["description"]] {
            for line in text.as_str().unwrap_or_default().lines() {
                let _ = writeln!(page.out, "    {line}");
            }
        }
        let _ = writeln!(page.out, "    Auth: {}", self.auth());
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let required = if parameter["required"] == true { ", required" } else { "" };
            let (name, place) = (parameter["name"].as_str().unwrap_or_default(), parameter["in"].as_str().unwrap_or_default());
            let _ = writeln!(page.out, "    {name} ({place}{required}): {}", one_line(&parameter["description"]));
        }
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        if !body.is_null() {
            let _ = writeln!(page.out, "    Body: {}", one_line(&operation["requestBody"]["description"]));
            page.fields(body, 8, 0);
        }
        for (status, response) in operation["responses"].as_object().into_iter().flatten() {
            if status.starts_with('2') || status == "304" || status == "402" {
                let _ = writeln!(page.out, "    {status}: {}", one_line(&response["description"]));
                // What is referred to is sent by every route of a kind.
                let headers = response["headers"].as_object().into_iter().flatten().filter(|(_, header)| header["$ref"].is_null());
                for (name, header) in headers {
                    let _ = writeln!(page.out, "        header {name}: {}", one_line(&header["description"]));
                }
                page.fields(&response["content"]["application/json"]["schema"], 8, 0);
            }
        }
        self.errors(page);
    }

    /// The codes of the route's errors, wrapped. What each means is told under ERROR CODES.
    fn errors(&self, page: &mut Page<'_>) {
        let codes = openapi::error_codes(page.document, self.operation);
        let mut line = "    Errors:".to_owned();
        for (i, code) in codes.iter().enumerate() {
            let comma = if i + 1 < codes.len() { "," } else { "" };
            if line.len() + code.len() + 2 > WIDTH {
                let _ = writeln!(page.out, "{line}");
                line = " ".repeat(7);
            }
            let _ = write!(line, " {code}{comma}");
        }
        let _ = writeln!(page.out, "{line}");
    }

    /// The accepted kinds of authentication. Any one is enough.
    fn auth(&self) -> String {
        let name = |way: &Value| match way.as_object().and_then(|way| way.keys().next()).map(String::as_str) {
            None => "none",
            Some("session") => "session cookie",
            Some(_) => "API key",
        };
        let ways: Vec<&str> = self.operation["security"].as_array().into_iter().flatten().map(name).collect();
        if ways.is_empty() { "none".to_owned() } else { ways.join(", or ") }
    }
}

/// Columns of a wrapped line.
const WIDTH: usize = 128;

/// Maximum depth of printed schemas. openapi.json has the rest.
const DEPTH: usize = 5;

impl Page<'_> {
    fn fields(&mut self, schema: &Value, indent: usize, depth: usize) {
        let document = self.document;
        if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
            let has_fields = !resolve(document, schema)["properties"].is_null();
            if has_fields && !self.shown.insert(name.to_owned()) {
                let _ = writeln!(self.out, "{}({name}, as above)", " ".repeat(indent));
                return;
            }
        }
        let schema = resolve(document, schema);
        if depth >= DEPTH {
            return;
        }
        if schema["type"] == "array" {
            return self.fields(&schema["items"], indent, depth);
        }
        for part in ["allOf", "oneOf", "anyOf"].iter().flat_map(|name| schema[*name].as_array().into_iter().flatten()) {
            self.fields(part, indent, depth);
        }
        let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let optional = if required.contains(&name.as_str()) { "" } else { "?" };
            let kind = kind(document, property);
            let _ = write!(self.out, "{}{name}{optional} ({kind})", " ".repeat(indent));
            let _ = match description(document, property) {
                Some(text) => writeln!(self.out, ": {}", one_line(text)),
                None => writeln!(self.out),
            };
            // The members of an error are described once, under ENVELOPE.
            if name != "error" {
                self.fields(property, indent + 4, depth + 1);
            }
        }
    }
}

/// A member's description: its own, that of the schema it refers to, or that of the one alternative to null.
fn description<'a>(document: &'a Value, property: &'a Value) -> Option<&'a Value> {
    let alternatives = property["oneOf"].as_array().into_iter().flatten();
    [property, resolve(document, property)]
        .into_iter()
        .chain(alternatives)
        .map(|schema| &schema["description"])
        .find(|text| text.is_string())
}

/// A member's type, or its possible values.
fn kind(document: &Value, schema: &Value) -> String {
    let schema = resolve(document, schema);
    if schema["enum"].as_array().is_some_and(|texts| texts.len() > 20) {
        return "one of the codes below".into();
    }
    if let Some(texts) = schema["enum"].as_array() {
        return texts
            .iter()
            .map(|text| text.as_str().map_or_else(|| text.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(" | ");
    }
    for part in ["oneOf", "anyOf", "allOf"] {
        if let Some(ways) = schema[part].as_array() {
            let mut ways: Vec<String> = ways.iter().map(|way| kind(document, way)).collect();
            ways.dedup();
            return ways.join(" | ");
        }
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => format!("array of {}", kind(document, &schema["items"])),
        Value::String(name) => name.clone(),
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | "),
        _ => "any".into(),
    }
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap_or(&Value::Null),
        None => schema,
    }
}

fn one_line(text: &Value) -> String {
    text.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn heading(out: &mut String, title: &str) {
    let _ = write!(out, "\n\n{title}\n{}\n", "=".repeat(title.len()));
}

fn limits_table(out: &mut String) {
    heading(out, "LIMITS");
    let _ = writeln!(
        out,
        "\nLimits are exact per window. Limited routes return the RateLimit and RateLimit-Policy headers. A 429 has Retry-After.\n"
    );
    for limit in limits::ALL {
        let _ = writeln!(out, "    {:<16} {:>5} in {:>6} s", limit.name, limit.quota, limit.window_seconds);
    }
}

fn errors(out: &mut String) {
    heading(out, "ERROR CODES");
    for code in Code::ALL {
        let recovery = code.recovery();
        let _ = write!(out, "\n#error-{}\n", code.as_str());
        let _ = writeln!(out, "    {} {}", code.status().as_u16(), code.message());
        let _ = writeln!(out, "    next_action: {} (retryable: {})", recovery.next_action, recovery.retryable);
        let _ = writeln!(out, "    {}", recovery.summary);
        for (name, values) in [("preserve", recovery.preserve), ("discard", recovery.discard)] {
            if !values.is_empty() {
                let _ = writeln!(out, "    {name}: {}", values.join(", "));
            }
        }
    }
}

/// Actions that an error of some code may carry instead of its usual one.
const FURTHER_ACTIONS: &[(&str, &str, &str)] = &[
    (
        "choose_another_listing",
        "PAYMENT_ROUTE_MINIMUM_NOT_MET, PAYMENT_ROUTE_UNAVAILABLE",
        "No currency has a payment route for this price to this seller. Find another listing with GET /listings.",
    ),
    (
        "send_body_to_be_quoted",
        "PAYMENT_REQUIRED",
        "You requested the price with an empty body. Send the call's JSON body to get a quote.",
    ),
    (
        "use_auth_wallet",
        "PROOF_WALLET_NOT_ALLOWED",
        "To claim an agent, sign a new challenge with an active wallet of the agent that has the capability auth. GET /me/wallets \
         with the agent's API key lists them.",
    ),
    (
        "request_new_challenge",
        "EDIT_CONFLICT, PROFILE_NOT_FOUND",
        "The claim used its challenge before it failed. Check the agent's id, then request and sign a new challenge.",
    ),
    ("ask_for_read_scope", "INSUFFICIENT_SCOPE", "A session can only create read keys. Omit scopes, or send [\"read\"]."),
    (
        "use_linked_wallet",
        "WALLET_ALREADY_LINKED",
        "The wallet is already linked to your profile; details.wallet_id is its id. GET /me/wallets/:id shows its capabilities, and \
         PATCH /me/wallets/:id changes them.",
    ),
    (
        "read_api_reference",
        "METHOD_NOT_ALLOWED",
        "The documentation abbreviates this path. Send the same request to the full path in details.path.",
    ),
    (
        "wait_and_retry",
        "PAYMENT_REQUIRED",
        "The quote is no longer offered. Only if you have paid it, wait and send the same request again.",
    ),
    (
        "leave_currency_out",
        "PAYMENT_ROUTE_MINIMUM_NOT_MET, PAYMENT_ROUTE_UNAVAILABLE",
        "No route carries the refund in the currency that you asked for. Send the same request without X-Crochet-Origin-Currency: the \
         first currency that works is chosen from those that your wallets can pay.",
    ),
    (
        "no_action_needed",
        "PAYMENT_ROUTE_MINIMUM_NOT_MET, PAYMENT_ROUTE_UNAVAILABLE",
        "Nothing carries the refund to the buyer now. It does not become overdue meanwhile, and is joined with what you owe the same \
         buyer later.",
    ),
    (
        "fetch_stored_answer",
        "PAYMENT_REQUIRED",
        "You have bought this before. Send details.delivered_relay_request_id in X-Crochet-Relay-Request-Id with the same body for the \
         answer that you have paid for. Pay data.payment only to buy it again.",
    ),
    (
        "send_listed_payment_id",
        "PAYMENT_NOT_FOUND",
        "Send the right id of details.open_payments in X-Crochet-Relay-Request-Id, with the same body. Do not pay again.",
    ),
    (
        "send_payment_id_in_header",
        "PAYMENT_NOT_FOUND",
        "Send details.relay_request_id in X-Crochet-Relay-Request-Id, with the body for which it was quoted, without the id in it.",
    ),
    (
        "send_stored_currency",
        "IDEMPOTENCY_KEY_REUSED",
        "Send X-Crochet-Origin-Currency: details.origin_currency, or leave the header out. For another currency, use a new \
         Idempotency-Key.",
    ),
    (
        "fetch_stored_answer",
        "CALL_NOT_CLOSABLE",
        "The call was delivered. Send it again with its relay_request_id and the same body for the stored answer.",
    ),
    (
        "read_gateway_request",
        "CALL_NOT_CLOSABLE",
        "Nothing was paid for the call, or it was paid back. Read data.gateway_request.charge with GET /gateway-requests/:id.",
    ),
];

fn actions(out: &mut String) {
    heading(out, "NEXT ACTIONS");
    let mut names: Vec<&str> = Code::ALL.iter().map(|code| code.recovery().next_action).collect();
    names.extend(FURTHER_ACTIONS.iter().map(|(name, ..)| *name));
    names.sort_unstable();
    names.dedup();
    for name in names {
        let mut codes: Vec<&str> =
            Code::ALL.iter().filter(|code| code.recovery().next_action == name).map(|code| code.as_str()).collect();
        codes.extend(FURTHER_ACTIONS.iter().filter(|(action, ..)| *action == name).map(|(_, codes, _)| *codes));
        let _ = write!(out, "\n#action-{name}\n    Of: {}\n", codes.join(", "));
        for code in Code::ALL.iter().filter(|code| code.recovery().next_action == name) {
            let _ = writeln!(out, "    {}: {}", code.as_str(), code.recovery().summary);
        }
        for (_, codes, summary) in FURTHER_ACTIONS.iter().filter(|(action, ..)| *action == name) {
            let _ = writeln!(out, "    {codes}: {summary}");
        }
    }
}
