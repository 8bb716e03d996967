//! The endpoint behind a listing: where the seller is called, which only its secret knows.

pub(crate) mod address;
pub(crate) mod edit;
pub(crate) mod get;
mod header;
mod members;
mod remove;
mod reply;
pub(crate) mod rewrite;
pub(crate) mod rotate;
pub(crate) mod secret;
pub(crate) mod test_call;
pub(crate) mod turn;
pub(crate) mod update;
