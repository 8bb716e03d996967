//! What Crochet is about, as pure functions and types.

pub mod api_key;
pub mod call;
pub mod challenge;
pub mod circuit;
pub mod currency;
pub mod ids;
pub mod json;
pub mod listing;
pub mod money;
pub mod passkey;
pub mod profile;
pub mod recovery_code;
pub mod schema;
pub mod session;
pub mod wallet;
pub mod webhook_signature;
