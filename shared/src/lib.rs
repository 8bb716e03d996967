//! The shared crate of Crochet: what every group of routes uses.
//!
//! Dependencies point one way: functions use this crate; inside it, `http` uses `store`, and `store` and `payments` use `domain`.
//! `domain` is pure and synchronous: it knows no HTTP, no AWS, and no time except what it is passed.

pub mod app;
pub mod aws;
pub mod budget;
pub mod clock;
pub mod config;
pub mod endpoint_secrets;
pub mod evm_node;
pub mod http;
pub mod limits;
pub mod operator_secret;
pub mod outbound;
pub mod payments;
pub mod secret_store_error;
pub mod seller_request;
pub mod store;
pub mod telemetry;
pub mod wallet_proofs;
pub mod wire;
