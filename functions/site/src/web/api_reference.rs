//! `/docs/api-reference`: every route on a page of its own, from the OpenAPI document.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use crochet::app::App;
use crochet::http::Result;
use crochet::http::accept::prefers_html;
use crochet::http::codes::Code;
use maud::{Markup, html};
use serde_json::Value;

use super::operations::{Operation, PATH, SPECIFICATION, operations};
use super::part::{code, with_placeholders};
use super::{docs, docs_nav, schema};
use crate::document::{Document, TEXT};
use crate::pages::PAGES;

/// The list of routes and codes; for programs, the reference as text.
pub(crate) async fn get_reference(State(app): State<App>, headers: HeaderMap) -> Result<Response> {
    if !prefers_html(&headers) {
        let page = PAGES.iter().find(|page| page.path == docs_nav::text_path(PATH)).ok_or(Code::NotFound)?;
        let text = page.source.replace("{PUBLIC_URL}", &app.config.absolute(""));
        return Ok(Document::new(TEXT, text).markdown_too().reply_to(&headers));
    }
    let tags: Vec<(&str, &str)> = SPECIFICATION["tags"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|tag| (tag["name"].as_str().unwrap_or_default(), tag["description"].as_str().unwrap_or_default()))
        .collect();
    let mut headings: Vec<(String, String)> = tags.iter().map(|(name, _)| (anchor(name), (*name).to_owned())).collect();
    headings.push(("codes".into(), "Error codes".into()));
    let article = html! {
        p.crumbs { "Reference / API Reference" }
        h1 { "API Reference" }
        p.lead { "Every route and every error code. The base is " code { (app.config.absolute("/api/v1")) } "." }
        p.small { a href="/api/v1/openapi.json" { "OpenAPI 3.1" } " · " a href="/docs/api-reference.txt" { "as text, in 48 KB" } " · " a href="/docs/api-reference-full.txt" { "the long form" } " · " a href="/docs/api-reference.md" { "Markdown" } }
        (docs::contents(PATH, &headings))
        @for (name, about) in &tags {
            h2 id=(anchor(name)) { (name) " " a href={ "#" (anchor(name)) } aria-label={ "Link to " (name) } { "#" } }
            p.soft { (about) }
            table.stack.even {
                caption.hide { (name) }
                thead { tr { th scope="col" { "Method" } th scope="col" { "Path" } th scope="col" { "Purpose" } } }
                tbody { @for operation in operations().filter(|operation| operation.tag == *name) { tr {
                    td.w { code.soft { (operation.method) } }
                    th.any scope="row" { a href=(operation.page()) { code { (operation.path) } } }
                    td { (operation.summary) }
                } } }
            }
        }
        h2 #codes { "Error codes " a href="#codes" aria-label="Link to Error codes" { "#" } }
        p { "Every error has one of these in " code { "error.code" } ". How a program follows them: " a href="/docs/errors" { "Errors" } "." }
        table.stack.even {
            caption.hide { "Error codes" }
            thead { tr { th scope="col" { "Status" } th scope="col" { "Code" } th scope="col" { "Message" } } }
            tbody { @for code in Code::ALL { tr {
                td.w { (code.status().as_u16()) }
                th.any scope="row" { a href={ "/docs/errors/" (code.as_str()) } { code { (code.as_str()) } } }
                td { (code.message()) }
            } } }
        }
    };
    Ok(docs::frame(
        &app.config,
        PATH,
        "API Reference",
        "Every route and every error code of Crochet’s API.",
        &article,
        &headings,
        &headers,
    ))
}

fn anchor(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

/// The page of one route.
pub(crate) async fn get_operation(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Result<Response> {
    let operation = operations().find(|operation| operation.id == id).ok_or(Code::NotFound)?;
    let described = operation.described;
    let responses: Vec<(&String, &Value)> = described["responses"].as_object().into_iter().flatten().collect();
    let (good, bad): (Vec<_>, Vec<_>) = responses.into_iter().partition(|(status, response)| !is_error(status, response));
    let headings: Vec<(String, String)> =
        [("request", "Request"), ("replies", "Replies"), ("errors", "Errors")].map(|(id, name)| (id.into(), name.into())).into();
    let article = html! {
        p.crumbs { a href=(PATH) { "API Reference" } " / " (operation.tag) }
        h1 { (operation.summary) }
        p { code { (operation.method) " " (operation.path) } }
        @for paragraph in operation.description.split("\n\n").filter(|text| !text.is_empty()) { p { (ticked(paragraph)) } }
        h2 #request { "Request" }
        p { (access(described)) }
        (parameters(described))
        (body_of(&described["requestBody"], operation.id))
        (in_curl(&operation, &app.config.absolute("")))
        h2 #replies { "Replies" }
        @for (status, response) in &good { (reply(status, response, operation.id)) }
        h2 #errors { "Errors" }
        table.stack {
            caption.hide { "Errors" }
            thead { tr { th scope="col" { "Status" } th scope="col" { "Codes" } } }
            tbody { @for (status, response) in &bad { tr {
                td.w { (status) }
                td { @for (at, code) in codes(response).iter().enumerate() { @if at > 0 { ", " } a href={ "/docs/errors/" (code.as_str()) } { code { (code.as_str()) } } } }
            } } }
        }
    };
    Ok(docs::frame(
        &app.config,
        &operation.page(),
        operation.summary,
        &format!("{} {}: {}.", operation.method, operation.path, operation.summary),
        &article,
        &headings,
        &headers,
    ))
}

/// A 402 is both: its page tells the codes, and its reply is worth showing.
fn is_error(status: &str, response: &Value) -> bool {
    status.starts_with(['4', '5']) && !codes(response).is_empty()
}

fn codes(response: &Value) -> Vec<Code> {
    let text = response["description"].as_str().unwrap_or_default();
    text.split([',', ' ', '.']).filter_map(crate::error_page::code).collect()
}

/// Text with code between backticks.
fn ticked(text: &str) -> Markup {
    html! { @for (at, piece) in text.split('`').enumerate() { @if at % 2 == 1 { code { (piece) } } @else { (piece) } } }
}

/// Who may call it.
fn access(described: &Value) -> Markup {
    let needs = described["security"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut names: Vec<&str> = Vec::new();
    for name in needs.iter().filter_map(Value::as_object).flat_map(|need| need.keys()) {
        let name = if name == "api_key" { "an API key" } else { "a session" };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let is_open = needs.is_empty() || needs.iter().any(|need| need.as_object().is_some_and(serde_json::Map::is_empty));
    html! { @match (is_open, names.as_slice()) {
        (true, []) => { "Anybody may send it." }
        (true, names) => { "Anybody may send it; " (names.join(" or ")) " shows more." }
        (false, names) => { "It takes " (names.join(" or ")) "." }
    } }
}

fn parameters(described: &Value) -> Markup {
    let parameters = described["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    html! { @if !parameters.is_empty() {
        table.stack {
            caption { "Parameters" }
            thead { tr { th scope="col" { "Name" } th scope="col" { "Where and type" } th scope="col" { "Meaning" } } }
            tbody { @for parameter in parameters { tr {
                th.any scope="row" { code { (parameter["name"].as_str().unwrap_or_default()) } }
                td { code.soft { (parameter["in"].as_str().unwrap_or_default()) ", " (schema::kind_of(&SPECIFICATION, &parameter["schema"])) } @if parameter["required"] == true { " " span.tag { "required" } } }
                td { (ticked(parameter["description"].as_str().unwrap_or_default())) }
            } } }
        }
    } }
}

fn body_of(body: &Value, id: &str) -> Markup {
    let content = &body["content"]["application/json"];
    html! { @if content.is_object() {
        @if let Some(about) = body["description"].as_str() { p { (ticked(about)) } }
        (schema::table_within(&SPECIFICATION, &content["schema"], "Body"))
        @if !content["example"].is_null() { (code(&format!("{id}-body"), &html! { "Body" }, &html! { (format!("{:#}", content["example"])) })) }
    } }
}

fn in_curl(operation: &Operation, public_url: &str) -> Markup {
    let mut path = operation.path.to_owned();
    for parameter in
        operation.described["parameters"].as_array().into_iter().flatten().filter(|parameter| parameter["in"] == "path")
    {
        let name = parameter["name"].as_str().unwrap_or_default();
        let example = parameter["example"].as_str().unwrap_or(name);
        path = path.replace(&format!("{{{name}}}"), example);
    }
    let mut command = format!("curl -sS {public_url}{path}");
    if operation.method != "GET" && !(operation.method == "POST" && operation.described["requestBody"].is_object()) {
        command = command.replacen("curl -sS", &format!("curl -sS -X {}", operation.method), 1);
    }
    let needs_key =
        operation.described["security"].as_array().is_some_and(|needs| needs.iter().any(|need| need.get("api_key").is_some()));
    if needs_key {
        command.push_str(" \\\n  -H 'Authorization: Bearer am_k_YOUR_API_KEY'");
    }
    let example = &operation.described["requestBody"]["content"]["application/json"]["example"];
    if !example.is_null() {
        let json = example.to_string().replace('\'', r"'\''");
        command.push_str(&format!(" \\\n  -H 'Content-Type: application/json' \\\n  -d '{json}'"));
    }
    code(&format!("{}-curl", operation.id), &html! { "curl" }, &with_placeholders(&command, &["am_k_YOUR_API_KEY"]))
}

fn reply(status: &str, response: &Value, id: &str) -> Markup {
    let content = &response["content"]["application/json"];
    html! {
        h3 { (status) }
        p { (ticked(response["description"].as_str().unwrap_or_default())) }
        @if content["schema"].is_object() { (schema::table_within(&SPECIFICATION, &content["schema"], &format!("Reply {status}"))) }
        @if !content["example"].is_null() { (code(&format!("{id}-{status}"), &html! { "Reply" }, &html! { (format!("{:#}", content["example"])) })) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_has_an_address_and_every_error_a_code() {
        let all: Vec<Operation> = operations().collect();
        assert!(all.len() > 40, "{}", all.len());
        for operation in &all {
            assert!(!operation.id.is_empty() && !operation.summary.is_empty() && !operation.tag.is_empty(), "{}", operation.path);
        }
        let call = all.iter().find(|operation| operation.id == "call_listing").expect("the gateway");
        assert!(codes(&call.described["responses"]["401"]).contains(&Code::InvalidApiKey));
    }
}
