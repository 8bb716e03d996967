//! The endpoint of a listing: where and how Crochet calls the seller. The table holds its settings, Secrets Manager its secrets.

mod auth_header;
pub(crate) mod get;
pub(crate) mod lease;
pub(crate) mod new_endpoint;
mod remove;
mod reply;
pub(crate) mod rotate;
pub(crate) mod secret;
pub(crate) mod secret_change;
mod secret_lease;
mod settings;
pub(crate) mod test_call;
pub(crate) mod update;
pub(crate) mod url;
pub(crate) mod write;
