//! `GET /.well-known/jwks.json`: the public keys of receipts.

use axum::Json;
use axum::extract::State as Extract;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use crochet::http::Result;
use crochet::http::caller::Anonymous;
use crochet::http::limited::ReadLimit;

use crate::state::State;

crochet::error_list!(GetJwksErrors: Anonymous<ReadLimit>;);

/// Get the public keys that receipts are signed with, as a JWK set (RFC 7517).
///
/// A key stays in the set for as long as its receipts are to be verified. A new one is shown an hour before it signs.
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "get_jwks", tag = "Documents",
    responses((status = 200, content_type = "application/json", body = Object, description = "The JWK set."), GetJwksErrors))]
pub(crate) async fn get_jwks(Extract(state): Extract<State>, _: Anonymous<ReadLimit>) -> Result<Response> {
    let keys = state.receipts.jwks().await?;
    Ok(([(header::CACHE_CONTROL, "public, max-age=600")], Json(keys)).into_response())
}
