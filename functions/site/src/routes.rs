//! The documents' routes. HEAD is answered wherever GET is.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::documents::Documents;

crochet::error_list!(DocumentErrors: ;);

/// Say where the API and its documents are.
#[utoipa::path(get, path = "/", operation_id = "get_welcome", tag = "Documents",
    responses((status = 200, description = "A few lines.", body = String, content_type = "text/plain"),
        (status = 304, description = "As If-None-Match knows it."), DocumentErrors))]
pub(crate) async fn welcome(State(documents): State<Arc<Documents>>, headers: HeaderMap) -> Response {
    documents.welcome.answer(&headers)
}

/// Get this description of the API.
#[utoipa::path(get, path = "/api/v1/openapi.json", operation_id = "get_openapi", tag = "Documents",
    responses((status = 200, description = "OpenAPI 3.1, without an envelope.", body = Object, content_type = "application/json"),
        (status = 304, description = "As If-None-Match knows it."), DocumentErrors))]
pub(crate) async fn openapi(State(documents): State<Arc<Documents>>, headers: HeaderMap) -> Response {
    documents.openapi.answer(&headers)
}

/// Get this description of the API, where it does not matter which version.
#[utoipa::path(get, path = "/api/openapi.json", operation_id = "get_openapi_without_version", tag = "Documents",
    responses((status = 200, description = "The same document.", body = Object, content_type = "application/json"),
        (status = 304, description = "As If-None-Match knows it."), DocumentErrors))]
pub(crate) async fn openapi_without_version(State(documents): State<Arc<Documents>>, headers: HeaderMap) -> Response {
    documents.openapi.answer(&headers)
}

/// Get the API reference.
#[utoipa::path(get, path = "/docs/api-reference.txt", operation_id = "get_api_reference", tag = "Documents",
    responses((status = 200, description = "Plain text.", body = String, content_type = "text/plain"),
        (status = 304, description = "As If-None-Match knows it."), DocumentErrors))]
pub(crate) async fn api_reference(State(documents): State<Arc<Documents>>, headers: HeaderMap) -> Response {
    documents.api_reference.answer(&headers)
}

/// Get the page for sellers about verifying signatures.
#[utoipa::path(get, path = "/docs/verify-signatures.md", operation_id = "get_verify_signatures", tag = "Documents",
    responses((status = 200, description = "Markdown.", body = String, content_type = "text/markdown"),
        (status = 304, description = "As If-None-Match knows it."), DocumentErrors))]
pub(crate) async fn verify_signatures(State(documents): State<Arc<Documents>>, headers: HeaderMap) -> Response {
    documents.verify_signatures.answer(&headers)
}
