//! The ways in which a URL gets into the service, and the ways in which the service calls it.

use crochet_client::Reply;
use serde_json::{Value, json};

use crate::expect::{Replies, number, text};
use crate::failure::Failure;
use crate::market::Market;

/// What lets the service call an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallRoute {
    /// `POST /gateway/:listingId`.
    Call,
    /// `POST /listings/:id/endpoint/test`.
    Test,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallResult {
    /// The seller answered with this status.
    Answer(i64),
    /// The endpoint failed in this class, as the route tells it; the gateway's own codes are spelled as classes.
    Failure(String),
}

impl CallRoute {
    /// Both routes.
    pub const ALL: [Self; 2] = [Self::Call, Self::Test];

    /// Lets the listing be called once.
    pub async fn send(self, market: &Market<'_>) -> Result<(CallResult, Reply), Failure> {
        match self {
            Self::Call => {
                let reply = market.call(&json!({ "n": 1 })).send().await?;
                if reply.status == 200 {
                    return Ok((CallResult::Answer(number(reply.ok(200), "seller_status_code")), reply));
                }
                let code = reply.code().to_owned();
                reply.refused(if code == "SELLER_TIMEOUT" { 504 } else { 502 }, &code);
                let class = match code.as_str() {
                    // Buyers are not told which of the two it was.
                    "SELLER_UNREACHABLE" => "unreachable",
                    "SELLER_TLS" => "tls",
                    "SELLER_TIMEOUT" => "timeout",
                    "SELLER_ERROR" | "SELLER_REFUSED" => "status",
                    "SELLER_INVALID_JSON" => "not_json",
                    "SELLER_RESPONSE_TOO_LARGE" => "too_large",
                    other => other,
                };
                Ok((CallResult::Failure(class.to_owned()), reply))
            }
            Self::Test => {
                let reply = market.seller.post(&format!("/listings/{}/endpoint/test", market.listing.id)).send().await?;
                let test = &reply.ok(200)["test"];
                let came = match &test["failure"] {
                    Value::Null => CallResult::Answer(number(test, "seller_status_code")),
                    failure => CallResult::Failure(text(failure, "class").to_owned()),
                };
                Ok((came, reply))
            }
        }
    }

    /// How this route tells that an address is refused.
    pub fn refusal(self) -> CallResult {
        CallResult::Failure(if self == Self::Call { "unreachable" } else { "refused_address" }.to_owned())
    }
}

/// What takes a URL from a seller.
#[derive(Debug, Clone, Copy)]
pub enum UrlRoute {
    /// `POST /listings`.
    Create,
    /// `PATCH /listings/:id`.
    Update,
    /// `PUT /listings/:id/endpoint`.
    PutEndpoint,
}

impl UrlRoute {
    /// Every route.
    pub const ALL: [Self; 3] = [Self::Create, Self::Update, Self::PutEndpoint];

    /// Hands a URL in.
    pub async fn send(self, market: &Market<'_>, url: &str) -> Result<Reply, Failure> {
        let endpoint = json!({ "private_endpoint_url": url });
        let path = format!("/listings/{}", market.listing.id);
        let request = match self {
            Self::Create => {
                let mut fields = market.world.free_fields("/echo");
                fields["private_endpoint_url"] = url.into();
                // The URL is refused before the proof is looked at.
                fields["pow_nonce"] = "0".into();
                market.seller.post("/listings").json(&fields)
            }
            Self::Update => market.seller.patch(&path).json(&endpoint),
            Self::PutEndpoint => market.seller.put(&format!("{path}/endpoint")).json(&endpoint),
        };
        Ok(request.send().await?)
    }
}
