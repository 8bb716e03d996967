//! A client of one deployment: where its requests go.

use std::time::Duration;

use reqwest::Method;

use crate::http::plain_http;
use crate::request::Request;

/// Longer than any reply of the service may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A client of one deployment. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    http: reqwest::Client,
}

impl Client {
    /// A client of the deployment at `base`, for example `http://localhost:9000`.
    #[must_use]
    pub fn new(base: &str) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), http: plain_http(TIMEOUT) }
    }

    /// Where the deployment is reached, without a slash at the end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A request to a path of the API: `/me` goes to `/api/v1/me`. A whole URL goes where it says.
    #[must_use]
    pub fn request(&self, method: Method, path: &str) -> Request {
        let url = if path.starts_with("http://") || path.starts_with("https://") {
            path.to_owned()
        } else {
            format!("{}/api/v1{path}", self.base)
        };
        Request::new(self.http.clone(), method, url)
    }

    /// A request to a path outside the API: `/llms.txt`.
    #[must_use]
    pub fn site(&self, method: Method, path: &str) -> Request {
        Request::new(self.http.clone(), method, format!("{}{path}", self.base))
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

    /// Whether a Crochet answers at this address.
    pub async fn is_up(&self) -> bool {
        matches!(self.get("/health").send().await, Ok(reply) if reply.status == 200 && reply.json["success"] == true)
    }
}
