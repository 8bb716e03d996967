//! The rules of Crochet as pure, synchronous functions and types.
//!
//! This crate knows no HTTP, no AWS, no OpenAPI and no clock: callers pass the time in. The compiler keeps that promise,
//! because none of it is among the dependencies.

pub mod api_key;
pub mod breaker;
pub mod call;
pub mod challenge;
pub mod closing;
pub mod currency;
pub mod debt;
pub mod ids;
pub mod json;
pub mod listing;
pub mod money;
pub mod name;
pub mod passkey;
pub mod profile;
pub mod recovery_code;
pub mod refund;
pub mod review;
pub mod schema;
pub mod score;
pub mod session;
pub mod share;
pub mod stats;
pub mod suspension;
pub mod timestamp;
pub mod unknown;
pub mod wallet;
pub mod webhook_signature;
mod wire_enum;
