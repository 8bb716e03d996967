//! The routes of the documents. HEAD works wherever GET does.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::documents::Documents;
use crate::index::Index;

crochet::error_list!(DocumentErrors: ;);

/// Show where the API and its documentation are.
#[utoipa::path(get, path = "/", operation_id = "get_welcome", tag = "Documents",
    responses((status = 200, description = "Links to the API and its documentation.", body = String, content_type = "text/plain"),
        (status = 304, description = "Not modified: If-None-Match names the current version."), DocumentErrors))]
pub(crate) async fn welcome(State(documents): State<Arc<Documents>>, headers: HeaderMap) -> Response {
    documents.welcome.reply_to(&headers)
}

/// Show what this API has: where to begin, and where each kind of resource is.
#[utoipa::path(get, path = "/api/v1", operation_id = "get_index", tag = "Documents",
    responses((status = 200, description = "Links, by what they are for.", body = Index),
        (status = 304, description = "Not modified: If-None-Match names the current version."), DocumentErrors))]
pub(crate) async fn index(State(documents): State<Arc<Documents>>, headers: HeaderMap) -> Response {
    documents.index.reply_to(&headers)
}

/// Get the OpenAPI description of this API.
#[utoipa::path(get, path = "/api/v1/openapi.json", operation_id = "get_openapi", tag = "Documents",
    responses((status = 200, description = "OpenAPI 3.1, without the usual envelope.", body = Object, content_type = "application/json"),
        (status = 304, description = "Not modified: If-None-Match names the current version."), DocumentErrors))]
pub(crate) async fn openapi(State(documents): State<Arc<Documents>>, headers: HeaderMap) -> Response {
    documents.openapi.reply_to(&headers)
}

/// Get the OpenAPI description of the latest version of this API.
#[utoipa::path(get, path = "/api/openapi.json", operation_id = "get_openapi_without_version", tag = "Documents",
    responses((status = 200, description = "Same as `/api/v1/openapi.json`.", body = Object, content_type = "application/json"),
        (status = 304, description = "Not modified: If-None-Match names the current version."), DocumentErrors))]
pub(crate) async fn openapi_without_version(State(documents): State<Arc<Documents>>, headers: HeaderMap) -> Response {
    documents.openapi.reply_to(&headers)
}

/// Get the API reference.
#[utoipa::path(get, path = "/docs/api-reference.txt", operation_id = "get_api_reference", tag = "Documents",
    responses((status = 200, description = "The reference, as plain text.", body = String, content_type = "text/plain"),
        (status = 304, description = "Not modified: If-None-Match names the current version."), DocumentErrors))]
pub(crate) async fn api_reference(State(documents): State<Arc<Documents>>, headers: HeaderMap) -> Response {
    documents.api_reference.reply_to(&headers)
}

/// Get the guide for sellers on verifying signatures.
#[utoipa::path(get, path = "/docs/verify-signatures.md", operation_id = "get_verify_signatures", tag = "Documents",
    responses((status = 200, description = "The guide, as Markdown.", body = String, content_type = "text/markdown"),
        (status = 304, description = "Not modified: If-None-Match names the current version."), DocumentErrors))]
pub(crate) async fn verify_signatures(State(documents): State<Arc<Documents>>, headers: HeaderMap) -> Response {
    documents.verify_signatures.reply_to(&headers)
}
