//! Examples of requests and replies, recorded from a running stack for OpenAPI and the reference.

mod check;
mod normal;

use std::collections::BTreeMap;
use std::sync::Mutex;

use crochet_client::Reply;
use serde_json::{Map, Value, json};

use crate::declared_errors;
use crate::world::World;
pub use check::{faults, same_shape};
use normal::Normal;

/// The recorded examples, by operation.
pub const KEPT: &str = include_str!("../../../docs/examples.json");

/// Where they are kept.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples.json");

/// What the stack of one test replied. Only one test records.
static REPLIES: Mutex<Vec<Reply>> = Mutex::new(Vec::new());

/// Keeps a reply for [`recorded`]. It is the observer of a client.
pub fn record(reply: &Reply) {
    declared_errors::check(reply);
    if let Ok(mut replies) = REPLIES.lock() {
        replies.push(reply.clone());
    }
}

/// Examples made of all replies so far: for each operation, the first request that succeeded and the first reply of each status that
/// a caller goes on with. Ids, keys, times and addresses are replaced by fixed ones.
///
/// # Panics
/// If another thread panicked while it recorded.
#[must_use]
pub fn recorded(world: &World) -> Value {
    let replies = std::mem::take(&mut *REPLIES.lock().expect("nobody panicked"));
    let mut normal = Normal::of(world);
    let mut examples: BTreeMap<String, Value> = BTreeMap::new();
    for reply in &replies {
        let (method, path) = reply.request().split_once(' ').unwrap_or_default();
        let Some((template, operation)) = declared_errors::route(method, path) else { continue };
        let is_wanted = (200..300).contains(&reply.status) || reply.status == 402;
        if !is_wanted || method == "HEAD" {
            continue;
        }
        let id = operation["operationId"].as_str().unwrap_or_default();
        let example = examples.entry(id.to_owned()).or_insert_with(|| request(reply, template, operation, &mut normal));
        merge_headers(example, reply, operation, &mut normal);
        let responses = &mut example["responses"];
        let status = reply.status.to_string();
        if responses[&status].is_null() {
            responses[&status] = normal.value(&shown(reply));
        }
    }
    json!(examples)
}

/// Writes the examples to their file if `CROCHET_RECORD_EXAMPLES` is set, as `cargo xtask record-examples` does. Returns whether.
///
/// # Errors
/// If the file cannot be written.
pub fn keep(examples: &Value) -> std::io::Result<bool> {
    let is_wanted = std::env::var_os("CROCHET_RECORD_EXAMPLES").is_some_and(|value| !value.is_empty());
    if is_wanted {
        std::fs::write(FILE, format!("{examples:#}\n"))?;
    }
    Ok(is_wanted)
}

fn request(reply: &Reply, template: &str, operation: &Value, normal: &mut Normal) -> Value {
    let path = reply.request().split_once(' ').map_or("", |(_, path)| path);
    let segments = template.split('/').zip(path.split('/')).filter(|(name, _)| name.starts_with('{'));
    let parameters: Map<String, Value> =
        segments.map(|(name, value)| (name.trim_matches(['{', '}']).to_owned(), normal.text(value).into())).collect();
    let known = |name: &str| operation["parameters"].as_array().into_iter().flatten().find(|known| known["name"] == name);
    let query = reply.sent.query.iter().filter_map(|(name, value)| Some((name, value, known(name)?)));
    let query: Map<String, Value> = query
        .map(|(name, value, known)| {
            let is_text = !matches!(known["schema"]["type"].as_str(), Some("integer" | "boolean"));
            let typed = serde_json::from_str(value).ok().filter(|_| !is_text);
            (name.clone(), typed.unwrap_or_else(|| normal.text(value).into()))
        })
        .collect();
    let mut request = json!({ "path_parameters": parameters, "query": query, "headers": {} });
    if let Some(body) = reply.sent.body.as_ref().and_then(|body| serde_json::from_slice::<Value>(body).ok()) {
        request["body"] = normal.value(&body);
    }
    json!({ "request": request, "responses": {} })
}

/// The headers of the operation that some request sent.
fn merge_headers(example: &mut Value, reply: &Reply, operation: &Value, normal: &mut Normal) {
    for parameter in operation["parameters"].as_array().into_iter().flatten().filter(|parameter| parameter["in"] == "header") {
        let name = parameter["name"].as_str().unwrap_or_default();
        let sent = reply.sent.headers.iter().find(|(sent, _)| sent.eq_ignore_ascii_case(name));
        let headers = &mut example["request"]["headers"];
        // The first one belongs to the first reply.
        if let Some((_, value)) = sent.filter(|_| headers.get(name).is_none()) {
            headers[name] = normal.text(value).into();
        }
    }
}

/// The body of a reply. A document is shown by its beginning.
fn shown(reply: &Reply) -> Value {
    const LINES: usize = 4;
    match &reply.json {
        Value::Null => {
            let text = reply.text();
            format!("{}\n…", text.lines().take(LINES).collect::<Vec<_>>().join("\n")).into()
        }
        document if document["components"]["schemas"]["ErrorEnvelope"].is_object() => {
            json!({ "openapi": document["openapi"], "info": document["info"], "servers": document["servers"] })
        }
        body => body.clone(),
    }
}
