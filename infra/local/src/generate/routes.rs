//! The route tables of SAM and of `cargo lambda watch`.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::marked::between;
use super::openapi;

/// Methods that write, for a path that another group reads. API Gateway would accept `ANY`, but in `sam local` that overrides
/// the reader's `GET`.
const WRITES: [&str; 5] = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const READS: [&str; 2] = ["GET", "HEAD"];

/// One route: path, methods (empty means all), and group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    path: String,
    methods: Vec<&'static str>,
    group: &'static str,
}

/// The routes of every group. A path leads to one group with every method, so that the group itself replies 405. Where two
/// groups share a path, GET and HEAD lead to the reader and the rest to the writer.
pub(super) fn of_groups() -> Vec<Route> {
    let mut paths: BTreeMap<String, Vec<(&'static str, bool)>> = BTreeMap::new();
    for (group, document) in openapi::groups() {
        let document = serde_json::to_value(document).unwrap_or_default();
        for (path, operations) in document["paths"].as_object().into_iter().flatten() {
            let reads = operations.get("get").is_some();
            paths.entry(path.clone()).or_default().push((group, reads));
        }
    }
    let mut routes = Vec::new();
    for (path, groups) in paths {
        let shared = groups.len() > 1;
        for (group, reads) in groups {
            let methods = match (shared, reads) {
                (false, _) => Vec::new(),
                (true, true) => READS.to_vec(),
                (true, false) => WRITES.to_vec(),
            };
            routes.push(Route { path: path.clone(), methods, group });
        }
    }
    routes
}

/// The template with its table and routes regenerated.
pub(super) fn into_template(template: &str, table: &str, routes: &[Route]) -> Result<String, String> {
    let table: Value = serde_json::from_str(table).map_err(|error| format!("infra/table.json is not JSON: {error}"))?;
    let mut properties = String::new();
    yaml(&table, 6, &mut properties);
    let mut template = between(template, "table", &properties)?;
    for (group, _) in openapi::groups() {
        let mut block = String::new();
        for route in routes.iter().filter(|route| route.group == group) {
            let methods = if route.methods.is_empty() { vec!["ANY"] } else { route.methods.clone() };
            for method in methods {
                let name = event_name(&route.path, method);
                let _ = writeln!(
                    block,
                    "        {name}: {{ Type: HttpApi, Properties: {{ ApiId: !Ref Api, Path: \"{}\", Method: {method} }} }}",
                    route.path
                );
            }
        }
        if group == "site" {
            // Explicit, because `sam local` finds no default route if the properties are omitted.
            let otherwise = "Otherwise: { Type: HttpApi, Properties: { ApiId: !Ref Api, Path: $default, Method: ANY } }";
            let _ = writeln!(block, "        {otherwise}");
        }
        template = between(&template, &format!("routes {group}"), &block)?;
    }
    Ok(template)
}

/// The manifest with the routes of `cargo lambda watch` regenerated.
pub(super) fn into_manifest(manifest: &str, routes: &[Route]) -> Result<String, String> {
    let mut block = String::from("[workspace.metadata.lambda.watch.router]\n");
    let mut done: Vec<&str> = Vec::new();
    for route in routes {
        if done.contains(&route.path.as_str()) {
            continue;
        }
        done.push(&route.path);
        let same: Vec<&Route> = routes.iter().filter(|other| other.path == route.path).collect();
        if let [only] = same.as_slice() {
            let _ = writeln!(block, "\"{}\" = \"{}\"", only.path, only.group);
            continue;
        }
        let targets: Vec<String> = same
            .iter()
            .flat_map(|route| {
                route.methods.iter().map(|method| format!("{{ method = \"{method}\", function = \"{}\" }}", route.group))
            })
            .collect();
        let _ = writeln!(block, "\"{}\" = [\n    {},\n]", route.path, targets.join(",\n    "));
    }
    let _ = writeln!(block, "\"/{{*rest}}\" = \"site\"");
    between(manifest, "watch routes", &block)
}

/// One line for each operation of the document: its method, its path and its query parameters, in the order of the paths.
pub(super) fn list(document: &Value) -> String {
    let paths: BTreeMap<&String, &Value> = document["paths"].as_object().into_iter().flatten().collect();
    let mut lines = String::new();
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let in_query = parameters.filter(|parameter| parameter["in"] == "query");
            let names: Vec<&str> = in_query.filter_map(|parameter| parameter["name"].as_str()).collect();
            let line = format!("{} {path} {}", method.to_ascii_uppercase(), names.join(","));
            lines.push_str(line.trim_end());
            lines.push('\n');
        }
    }
    lines
}

/// A name for the event: `/api/v1/listings/{id}` with GET becomes `GetListingsId`.
fn event_name(path: &str, method: &str) -> String {
    let words =
        path.strip_prefix("/api/v1/").unwrap_or(path).split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut name = capital(&method.to_ascii_lowercase());
    for word in words {
        name.push_str(&capital(word));
    }
    name
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// CloudFormation's JSON as block YAML.
fn yaml(value: &Value, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                match value {
                    Value::Object(_) | Value::Array(_) => {
                        let _ = writeln!(out, "{pad}{name}:");
                        yaml(value, indent + 2, out);
                    }
                    scalar => {
                        let _ = writeln!(out, "{pad}{name}: {}", plain(scalar));
                    }
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                let mut inner = String::new();
                yaml(item, indent + 2, &mut inner);
                let body = inner.trim_start();
                let _ = if body.is_empty() { writeln!(out, "{pad}- {}", plain(item)) } else { write!(out, "{pad}- {body}") };
            }
        }
        _ => {}
    }
}

fn plain(scalar: &Value) -> String {
    scalar.as_str().map_or_else(|| scalar.to_string(), str::to_owned)
}
