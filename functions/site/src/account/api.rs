//! The JSON API, asked with a visitor's cookie.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use crochet::app::App;
use crochet::http::session::has_cookie;
use crochet::http::{ApiError, Code};
use crochet::outbound::operator_client;
use serde_json::Value;

/// Longest reply that is read, in bytes. A page of a hundred calls takes a tenth of it.
const MAX_REPLY_BYTES: usize = 4 * 1024 * 1024;

/// A visitor: their cookies, and the API that they are sent to.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    base: String,
    cookies: Vec<HeaderValue>,
    has_cookie: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor
where
    App: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let app = App::from_ref(state);
        Ok(Self {
            base: app.config.api_url.as_str().trim_end_matches('/').to_owned(),
            cookies: parts.headers.get_all(header::COOKIE).iter().cloned().collect(),
            has_cookie: has_cookie(&parts.headers),
        })
    }
}

/// A reply of the API.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// `data` of a success, `error` of a failure.
    pub(super) body: Value,
    /// The cookie that the API sets.
    pub(super) cookie: Option<HeaderValue>,
}

impl Visitor {
    /// `GET` below `/api/v1`.
    pub(super) async fn get(&self, path: &str) -> Result<Answer, ApiError> {
        self.send(Method::GET, path, None).await
    }

    /// `data` of a `GET`.
    ///
    /// # Errors
    /// What the API refused, to be sent to the visitor as it is.
    pub(super) async fn read(&self, path: &str) -> Result<Value, Refused> {
        Ok(self.get(path).await?.accepted()?.body)
    }

    /// Any request below `/api/v1`.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` if there is no reply.
    pub(super) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, ApiError> {
        let url = format!("{}/api/v1{path}", self.base);
        let mut request = operator_client().request(method, url);
        for cookie in &self.cookies {
            request = request.header(header::COOKIE, cookie);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let reply = request.send().await.map_err(unavailable)?;
        let status = reply.status();
        let cookie = reply.headers().get(header::SET_COOKIE).cloned();
        if reply.content_length().is_some_and(|length| length > MAX_REPLY_BYTES as u64) {
            return Err(ApiError::internal("a reply of the API is too long"));
        }
        let mut envelope: Value = reply.json().await.map_err(unavailable)?;
        let member = if status.is_success() { "data" } else { "error" };
        Ok(Answer { status, body: envelope[member].take(), cookie })
    }

    /// Fails for a visitor without a session cookie, whom the API need not be asked about.
    pub(super) fn may_have_session(&self) -> Result<(), Refused> {
        if self.has_cookie { Ok(()) } else { Err(Refused::LoggedOut(None)) }
    }
}

impl Answer {
    /// The answer, if the API accepted the request.
    pub(super) fn accepted(self) -> Result<Self, Refused> {
        match self.status.as_u16() {
            200..300 => Ok(self),
            401 if self.body["code"] == Code::SessionRequired.as_str() => Err(Refused::LoggedOut(self.cookie)),
            _ => Err(Refused::ByApi(Box::new(self))),
        }
    }
}

/// Why a visitor does not get what they asked for.
#[derive(Debug)]
pub(super) enum Refused {
    /// They are not logged in. The cookie, if any, clears the one that they have.
    LoggedOut(Option<HeaderValue>),
    /// The API refused.
    ByApi(Box<Answer>),
    /// This function failed.
    Failed(ApiError),
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

/// Leads to another page after a form, with the cookie that the API set.
pub(super) fn see_other(path: &str, cookie: Option<HeaderValue>) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    if let Ok(path) = HeaderValue::from_str(path) {
        headers.insert(header::LOCATION, path);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    if let Some(cookie) = cookie {
        headers.insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Nothing of the request is in the cause.
fn unavailable(error: reqwest::Error) -> ApiError {
    ApiError::new(Code::ServiceUnavailable).cause(format!("the API did not answer: {}", error.without_url()))
}
