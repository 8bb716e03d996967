//! The endpoint behind a listing: where the seller is called, which only its secret knows.

pub(crate) mod address;
pub(crate) mod secret;
pub(crate) mod turn;
