//! The ways in which a URL gets into the service, and the ways in which the service calls it.

use crochet_client::Reply;
use serde_json::{Value, json};

use crate::expect::{Replies, number, text};
use crate::failure::Failure;
use crate::shop::Shop;

/// What lets the service call an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forward {
    /// `POST /gateway/:listingId`.
    Call,
    /// `POST /listings/:id/endpoint/test`.
    Test,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// The seller answered with this status.
    Answer(i64),
    /// The endpoint failed in this class, as the route tells it; the gateway's own codes are spelled as classes.
    Failure(String),
}

impl Forward {
    /// Both routes.
    pub const ALL: [Self; 2] = [Self::Call, Self::Test];

    /// Lets the listing be called once.
    pub async fn send(self, shop: &Shop<'_>) -> Result<(Came, Reply), Failure> {
        match self {
            Self::Call => {
                let reply = shop.call(&json!({ "n": 1 })).send().await?;
                if reply.status == 200 {
                    return Ok((Came::Answer(number(reply.ok(200), "seller_status_code")), reply));
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
                Ok((Came::Failure(class.to_owned()), reply))
            }
            Self::Test => {
                let reply = shop.seller.post(&format!("/listings/{}/endpoint/test", shop.listing.id)).send().await?;
                let test = &reply.ok(200)["test"];
                let came = match &test["failure"] {
                    Value::Null => Came::Answer(number(test, "seller_status_code")),
                    failure => Came::Failure(text(failure, "class").to_owned()),
                };
                Ok((came, reply))
            }
        }
    }

    /// How this route tells that an address is refused.
    pub fn refusal(self) -> Came {
        Came::Failure(if self == Self::Call { "unreachable" } else { "refused_address" }.to_owned())
    }
}

/// What takes a URL from a seller.
#[derive(Debug, Clone, Copy)]
pub enum Entrance {
    /// `POST /listings`.
    Create,
    /// `PATCH /listings/:id`.
    Update,
    /// `PUT /listings/:id/endpoint`.
    PutEndpoint,
}

impl Entrance {
    /// Every route.
    pub const ALL: [Self; 3] = [Self::Create, Self::Update, Self::PutEndpoint];

    /// Hands a URL in.
    pub async fn send(self, shop: &Shop<'_>, url: &str) -> Result<Reply, Failure> {
        let endpoint = json!({ "private_endpoint_url": url });
        let path = format!("/listings/{}", shop.listing.id);
        let request = match self {
            Self::Create => {
                let mut fields = shop.world.free_fields("/echo");
                fields["private_endpoint_url"] = url.into();
                // The URL is refused before the proof is looked at.
                fields["pow_nonce"] = "0".into();
                shop.seller.post("/listings").json(&fields)
            }
            Self::Update => shop.seller.patch(&path).json(&endpoint),
            Self::PutEndpoint => shop.seller.put(&format!("{path}/endpoint")).json(&endpoint),
        };
        Ok(request.send().await?)
    }
}
