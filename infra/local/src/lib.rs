//! The local stack: everything that `cargo run` starts, and an outside client that speaks to it.
//!
//! The sandbox Relay, the demo seller and the client are outsiders: they share no code with the service they talk to, except for
//! the clock, so that a mistake there cannot cancel itself out here.

pub mod api;
pub mod banner;
pub mod bench;
pub mod cli;
pub mod client;
pub mod demo;
pub mod demo_seller;
pub mod dynamodb;
pub mod generate;
mod random;
pub mod sandbox;
pub mod secrets;
pub mod serve;
pub mod spawned;
pub mod stack;

pub use stack::{Options, SellerNetwork, Stack};
