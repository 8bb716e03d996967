//! Successful responses: `{"success": true, "data": …}`.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::error::ApiError;
use crate::store::StoreError;

/// A successful response in its envelope.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    body: Vec<u8>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Serialize)]
struct Envelope<T> {
    success: bool,
    data: T,
}

impl Reply {
    /// 200 with this data.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` if the data cannot be serialised as JSON, which is a defect.
    pub fn ok<T: Serialize>(data: T) -> Result<Self, ApiError> {
        Self::with_status(StatusCode::OK, data)
    }

    /// 201 with this data.
    pub fn created<T: Serialize>(data: T) -> Result<Self, ApiError> {
        Self::with_status(StatusCode::CREATED, data)
    }

    /// 202 with this data.
    pub fn accepted<T: Serialize>(data: T) -> Result<Self, ApiError> {
        Self::with_status(StatusCode::ACCEPTED, data)
    }

    /// 200 with a stored response, byte for byte. `body` includes the envelope.
    #[must_use]
    pub fn verbatim(body: Vec<u8>) -> Self {
        Self { status: StatusCode::OK, body, headers: Vec::new() }
    }

    fn with_status<T: Serialize>(status: StatusCode, data: T) -> Result<Self, ApiError> {
        let body = serde_json::to_vec(&Envelope { success: true, data }).map_err(ApiError::internal)?;
        Ok(Self { status, body, headers: Vec::new() })
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// The body, envelope included.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Conflict => {
                Self::new(super::Code::ServiceUnavailable).retry_after(1).cause(error)
            }
            StoreError::SessionOver => super::Code::SessionRequired.into(),
            StoreError::Defect(_) => Self::internal(error).alarm(),
        }
    }
}

impl From<crate::endpoint_secrets::SecretStoreError> for ApiError {
    fn from(error: crate::endpoint_secrets::SecretStoreError) -> Self {
        let unavailable = Self::new(super::Code::ServiceUnavailable).retry_after(1).cause(&error);
        // Its seller has to set the URL of the endpoint again.
        if error.is_lost() { unavailable.not_ours() } else { unavailable }
    }
}
