//! The routes of the documents. HEAD works wherever GET does.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use crochet::app::App;
use crochet::http::accept::prefers_html;
use crochet::http::{ApiError, Code, Result};
use crochet_catalog::Catalogue;

use crate::document::{Document, MARKDOWN, TEXT};
use crate::documents::Documents;
use crate::index::Index;
use crate::web::reader::Reader;
use crate::web::{docs, home};
use crate::{error_page, well_known};

crochet::error_list!(DocumentErrors: ;);

/// Show where the API and its documentation are.
#[utoipa::path(get, path = "/", operation_id = "get_welcome", tag = "Documents",
    responses((status = 200, description = "Links to the API and its documentation.", body = String, content_type = "text/plain"),
        (status = 304, description = "Not modified: If-None-Match names the current version."), DocumentErrors))]
pub(crate) async fn welcome(
    State(app): State<App>,
    State(documents): State<Arc<Documents>>,
    State(catalogue): State<Catalogue>,
    reader: Reader,
    headers: HeaderMap,
) -> Result<Response> {
    match reader {
        Reader::Browser => home::page(&app, &catalogue, &headers).await,
        Reader::Program => Ok(reply(&documents, "/", &headers)),
    }
}

/// Show what this API has: where to begin, and where each kind of resource is.
#[utoipa::path(get, path = "/api/v1", operation_id = "get_index", tag = "Documents",
    responses((status = 200, description = "Links, by what they are for.", body = Index),
        (status = 304, description = "Not modified: If-None-Match names the current version."), DocumentErrors))]
pub(crate) async fn index(State(documents): State<Arc<Documents>>, headers: HeaderMap) -> Response {
    reply(&documents, "/api/v1", &headers)
}

/// Get the OpenAPI description of this API.
#[utoipa::path(get, path = "/api/v1/openapi.json", operation_id = "get_openapi", tag = "Documents",
    responses((status = 200, description = "OpenAPI 3.1, without the usual envelope.", body = Object, content_type = "application/json"),
        (status = 304, description = "Not modified: If-None-Match names the current version."), DocumentErrors))]
pub(crate) async fn openapi(State(documents): State<Arc<Documents>>, headers: HeaderMap) -> Response {
    reply(&documents, "/api/v1/openapi.json", &headers)
}

/// Get the OpenAPI description of the latest version of this API.
#[utoipa::path(get, path = "/api/openapi.json", operation_id = "get_openapi_without_version", tag = "Documents",
    responses((status = 200, description = "Same as `/api/v1/openapi.json`.", body = Object, content_type = "application/json"),
        (status = 304, description = "Not modified: If-None-Match names the current version."), DocumentErrors))]
pub(crate) async fn openapi_without_version(State(documents): State<Arc<Documents>>, headers: HeaderMap) -> Response {
    reply(&documents, "/api/openapi.json", &headers)
}

/// Get the API reference.
#[utoipa::path(get, path = "/docs/api-reference.txt", operation_id = "get_api_reference", tag = "Documents",
    responses((status = 200, description = "The reference, as plain text.", body = String, content_type = "text/plain"),
        (status = 304, description = "Not modified: If-None-Match names the current version."), DocumentErrors))]
pub(crate) async fn api_reference(State(documents): State<Arc<Documents>>, headers: HeaderMap) -> Response {
    reply(&documents, "/docs/api-reference.txt", &headers)
}

/// Get the guide for sellers on verifying signatures.
#[utoipa::path(get, path = "/docs/verify-signatures.md", operation_id = "get_verify_signatures", tag = "Documents",
    responses((status = 200, description = "The guide, as Markdown.", body = String, content_type = "text/markdown"),
        (status = 304, description = "Not modified: If-None-Match names the current version."), DocumentErrors))]
pub(crate) async fn verify_signatures(State(documents): State<Arc<Documents>>, headers: HeaderMap) -> Response {
    reply(&documents, "/docs/verify-signatures.md", &headers)
}

/// The documents that the OpenAPI document passes over: they are no part of the API.
/// Those that have a page show it to readers who ask for one.
pub(crate) async fn document(
    State(app): State<App>,
    State(documents): State<Arc<Documents>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let page = docs::page(&app.config, uri.path(), uri.query(), &headers);
    page.unwrap_or_else(|| reply(&documents, uri.path(), &headers))
}

/// The page of an error code: `CODE` as a page or as text, `CODE.md` as Markdown.
pub(crate) async fn error_page(State(app): State<App>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let markdown = name.strip_suffix(".md");
    let Some(code) = error_page::code(markdown.unwrap_or(&name)) else { return ApiError::from(Code::NotFound).into_response() };
    if markdown.is_none() && prefers_html(&headers) {
        return docs::error(&app.config, code, &headers);
    }
    let text = error_page::page(code, &app.config);
    let document = if markdown.is_some() {
        Document::new(MARKDOWN, text)
    } else {
        let markdown = app.config.absolute(&format!("/docs/errors/{name}.md"));
        Document::new(TEXT, text).markdown_too().linking(&format!("<{markdown}>; rel=\"alternate\"; type=\"text/markdown\""))
    };
    document.reply_to(&headers)
}

/// How to report a weakness, if the operator has said so.
pub(crate) async fn security_txt(State(app): State<App>, headers: HeaderMap) -> Response {
    let Some(contact) = &app.config.security_contact else { return ApiError::from(Code::NotFound).into_response() };
    let text = well_known::security_txt(&app.config.absolute(""), contact, app.clock.now());
    Document::new(TEXT, text).reply_to(&headers)
}

fn reply(documents: &Documents, path: &str, headers: &HeaderMap) -> Response {
    documents.reply(path, headers).unwrap_or_else(|| ApiError::from(Code::NotFound).into_response())
}
