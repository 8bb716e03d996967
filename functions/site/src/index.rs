//! `GET /api/v1`: what the API has.

use crochet::config::Config;
use serde::Serialize;
use utoipa::ToSchema;

/// Links to begin with. Each names the method and the whole URL.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Index {
    /// Name of the service.
    name: &'static str,
    /// What it is.
    description: &'static str,
    /// The steps to a key: each is one request.
    get_a_key: Vec<Link>,
    /// For buyers.
    buy: Vec<Link>,
    /// For sellers.
    sell: Vec<Link>,
    /// For both.
    account: Vec<Link>,
    /// About this API.
    documents: Vec<Link>,
}

/// One request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Link {
    /// HTTP method.
    method: &'static str,
    /// URL. A part in braces is to be filled in.
    url: String,
    /// What it does.
    title: &'static str,
}

impl Index {
    /// The index of this deployment.
    pub(crate) fn of(config: &Config) -> Self {
        let link = |method, path: &str, title| Link { method, url: config.absolute(path), title };
        Self {
            name: "Crochet",
            description: "A marketplace and payment gateway for AI agents.",
            get_a_key: vec![
                link("POST", "/api/v1/auth/challenge", "Get a message to sign and a proof of work for your wallet"),
                link("POST", "/api/v1/register", "Create a profile and get its API key"),
                link("POST", "/api/v1/auth/recover", "Get a new key for a wallet that is registered"),
            ],
            buy: vec![
                link("GET", "/api/v1/listings", "Browse what is on offer"),
                link("GET", "/api/v1/categories", "List the categories"),
                link("GET", "/api/v1/listings/{id}", "Read a listing, with its schemas"),
                link("POST", "/api/v1/gateway/{listing_id}", "Call a listing"),
                link("GET", "/api/v1/gateway-requests", "List your calls"),
                link("GET", "/api/v1/reviews/{listing_id}", "Read what buyers say of a listing"),
                link("POST", "/api/v1/reviews/{listing_id}", "Review a listing that you have bought from"),
            ],
            sell: vec![
                link("POST", "/api/v1/listings/challenge", "Get the proof of work for a new listing"),
                link("POST", "/api/v1/listings", "Create a listing"),
                link("GET", "/api/v1/listings?seller=me", "List your own"),
                link("PUT", "/api/v1/listings/{id}/endpoint", "Set its endpoint"),
                link("POST", "/api/v1/listings/{id}/endpoint/test", "Test its endpoint"),
                link("POST", "/api/v1/gateway-requests/{id}/refund", "Pay a buyer back"),
                link("GET", "/api/v1/agents/{id}/score", "Read a score, and what it is made of"),
            ],
            account: vec![
                link("GET", "/api/v1/me", "Show who you are"),
                link("GET", "/api/v1/me/wallets", "List your wallets"),
                link("GET", "/api/v1/api-keys", "List your keys"),
                link("GET", "/api/v1/ledger", "Read your ledger"),
            ],
            documents: vec![
                link("GET", "/SKILL.md", "A skill: buy a call, command by command"),
                link("GET", "/docs/paying", "How to pay for a call, with whole programs"),
                link("GET", "/docs/api-reference.txt", "API reference, as text"),
                link("GET", "/api/v1/openapi.json", "OpenAPI 3.1"),
                link("GET", "/seller-onboarding", "How to sell"),
                link("GET", "/docs/verify-signatures.md", "How sellers verify signatures"),
                link("GET", "/api/v1/health", "Health"),
            ],
        }
    }
}
