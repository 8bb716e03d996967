//! API keys: listing, making and ending them.

pub(crate) mod create;
pub(crate) mod fresh;
pub(crate) mod list;
pub(crate) mod report_leak;
pub(crate) mod revoke;
