//! A client of one deployment.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;

use crate::http::{plain_http, plain_http_with};
use crate::reply::Reply;
use crate::request::Request;

/// Request timeout. No reply of the service takes longer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A client of one deployment. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    http: reqwest::Client,
    observer: Option<fn(&Reply)>,
}

impl Client {
    /// Creates a client of the deployment at `base`, for example `http://localhost:9000`.
    #[must_use]
    pub fn new(base: &str) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), http: plain_http(TIMEOUT), observer: None }
    }

    /// Calls `observer` with every reply, before it is returned.
    #[must_use]
    pub fn observed_by(self, observer: fn(&Reply)) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// Sends these headers with every request.
    #[must_use]
    pub fn with_headers(self, headers: HeaderMap) -> Self {
        Self { http: plain_http_with(TIMEOUT, headers), ..self }
    }

    /// The base URL of the deployment, without a trailing slash.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A request to a path of the API: `/me` becomes `/api/v1/me`. An absolute URL is used as it is.
    #[must_use]
    pub fn request(&self, method: Method, path: &str) -> Request {
        let url = if path.starts_with("http://") || path.starts_with("https://") {
            path.to_owned()
        } else {
            format!("{}/api/v1{path}", self.base)
        };
        Request::new(self.http.clone(), self.observer, method, url)
    }

    /// A request to a path outside the API: `/llms.txt`.
    #[must_use]
    pub fn site(&self, method: Method, path: &str) -> Request {
        Request::new(self.http.clone(), self.observer, method, format!("{}{path}", self.base))
    }

    /// `GET` to a path of the API.
    #[must_use]
    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    /// `POST` to a path of the API.
    #[must_use]
    pub fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    /// Whether Crochet is reachable at this address.
    pub async fn is_up(&self) -> bool {
        matches!(self.get("/health").send().await, Ok(reply) if reply.status == 200 && reply.json["success"] == true)
    }
}
