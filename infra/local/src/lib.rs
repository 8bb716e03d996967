//! The local stack: everything that `cargo run` starts.
//!
//! The sandbox Relay and the demo seller stand for the outside world. They share no code with the service except its clock, so
//! that a mistake in the service cannot cancel itself out here.

pub mod api;
pub mod audit_log;
pub mod banner;
pub mod bench;
pub mod cli;
pub mod demo;
pub mod demo_seller;
pub mod detached;
pub mod dynamodb;
pub mod generate;
mod kill_switch;
pub mod ledger_check;
mod raw_target;
pub mod restore_drill;
pub mod sandbox;
pub mod secrets;
mod seller_network;
pub mod serve;
pub mod smoke_test;
pub mod stack;

pub use kill_switch::KillSwitch;
pub use seller_network::SellerNetwork;
pub use stack::{Options, Ran, Rewire, SecretsSwept, Settings, Stack, Swept, TIMES, Times, Webhooks};
