//! A client of Crochet from the outside: real wallets, real signatures, real proof of work, HTTP only.
//!
//! The demo, the banner and the black-box tests use it. It follows the API reference and shares no code with the service, so
//! that a mistake there cannot cancel itself out here: it makes its own keys, hashes and signatures.
//!
//! ```no_run
//! # async fn story() -> Result<(), crochet_client::UnexpectedReply> {
//! use crochet_client::{Client, Wallet};
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
mod client;
mod controls;
mod error;
mod http;
mod own_wallets;
mod passkey;
mod person;
mod pow;
mod proofs;
mod random;
mod reply;
mod request;
mod wallet;

pub use agent::{Agent, Listing};
pub use client::Client;
pub use controls::{SandboxControls, SellerControls};
pub use error::UnexpectedReply;
pub use http::plain_http;
pub use passkey::{Passkey, Tampering};
pub use person::{Ceremony, Person};
pub use pow::{Pow, solve};
pub use proofs::Challenge;
pub use random::random_bytes;
pub use reply::{Reply, Sent};
pub use request::Request;
pub use wallet::{Chain, Wallet};
