//! Who reads a page that costs reads of the table.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use crochet::app::App;
use crochet::http::ApiError;
use crochet::http::accept::prefers_html;
use crochet::http::caller::Anonymous;
use crochet::http::limited::ReadLimit;

/// A browser, whose address is counted against the limit of public reads, or a program, which gets a text from memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    Browser,
    Program,
}

impl<S: Send + Sync> FromRequestParts<S> for Reader
where
    App: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        if !prefers_html(&parts.headers) {
            return Ok(Self::Program);
        }
        Anonymous::<ReadLimit>::from_request_parts(parts, state).await.map(|_| Self::Browser)
    }
}
