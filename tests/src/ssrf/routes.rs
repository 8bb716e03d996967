//! The routes that accept a URL, and the routes that call it.

use crochet_client::Reply;
use serde_json::{Value, json};

use crate::expect::{Replies, number, text};
use crate::failure::Failure;
use crate::market::Market;

/// A route that calls an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallRoute {
    /// `POST /gateway/:listingId`.
    Call,
    /// `POST /listings/:id/endpoint/test`.
    Test,
}

/// The result of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallResult {
    /// The seller answered with this status.
    Answer(i64),
    /// The endpoint failed, with this class. The gateway's codes are mapped to classes.
    Failure(String),
}

impl CallRoute {
    /// Both routes.
    pub const ALL: [Self; 2] = [Self::Call, Self::Test];

    /// Calls the listing once.
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
                    // Buyers do not learn which of the two it was.
                    "SELLER_UNREACHABLE" => "unreachable",
                    "SELLER_TLS" => "tls",
                    "SELLER_TIMEOUT" => "timeout",
                    "SELLER_ERROR" if reply.error()["details"]["malformed_http"] == true => "malformed_http",
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

    /// How this route reports a refused address.
    pub fn refusal(self) -> CallResult {
        CallResult::Failure(if self == Self::Call { "unreachable" } else { "refused_address" }.to_owned())
    }
}

/// A route that accepts a URL from a seller.
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

    /// Sends a URL.
    pub async fn send(self, market: &Market<'_>, url: &str) -> Result<Reply, Failure> {
        let endpoint = json!({ "private_endpoint_url": url });
        let path = format!("/listings/{}", market.listing.id);
        let request = match self {
            Self::Create => {
                let mut fields = market.world.free_fields("/echo");
                fields["private_endpoint_url"] = url.into();
                // The URL is checked before the proof.
                fields["pow_nonce"] = "0".into();
                market.seller.post("/listings").json(&fields)
            }
            Self::Update => market.seller.patch(&path).json(&endpoint),
            Self::PutEndpoint => market.seller.put(&format!("{path}/endpoint")).json(&endpoint),
        };
        Ok(request.send().await?)
    }
}
