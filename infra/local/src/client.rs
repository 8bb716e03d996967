//! An outside client of Crochet: real wallets, real signatures, real proof of work, HTTP only.
//!
//! The demo, the banner and the black-box tests use it. It is written from the API reference, not from the service's code: it
//! makes its own keys and hashes.
//!
//! ```no_run
//! # async fn story() -> Result<(), crochet_local::client::Surprise> {
//! use crochet_local::client::{Client, Wallet};
//! use serde_json::json;
//!
//! let client = Client::new("http://localhost:9000");
//! let agent = client.register(&Wallet::solana(), "Ada").await?;
//! let me = agent.get("/me").send().await?.expect(200)?;
//! let missing = agent.post("/gateway/nothing").json(&json!({})).send().await?;
//! assert_eq!((missing.status, missing.code()), (404, "LISTING_NOT_FOUND"));
//! # Ok(()) }
//! ```

mod agent;
mod controls;
mod own_wallets;
mod passkey;
mod person;
mod pow;
mod proofs;
mod reply;
mod request;
mod wallet;

use std::fmt;
use std::sync::Once;
use std::time::Duration;

pub use agent::{Agent, Listing};
pub use controls::{SandboxControls, SellerControls};
pub use passkey::{Passkey, Twist};
pub use person::{Ceremony, Person};
pub use pow::{Pow, solve};
pub use proofs::Challenge;
pub use reply::Reply;
pub use request::Request;
pub use wallet::{Chain, Wallet};

use reqwest::Method;

/// Longer than any answer of the service may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Something that did not go as the API reference says, in one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surprise(pub String);

impl fmt::Display for Surprise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Surprise {}

/// An HTTP client without proxies and redirects, for plain-text local servers.
pub(crate) fn plain_http(timeout: Duration) -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    // reqwest asks for a TLS provider even where no TLS is spoken. Another one that is installed already is as good.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(timeout)
        // No certificates: reading the machine's takes longer than the rest of a client.
        .tls_certs_only([])
        .build()
        .expect("a client of these plain settings can always be built")
}

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
