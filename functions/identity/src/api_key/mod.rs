//! API keys: listing, creating and revoking them.

pub(crate) mod create;
pub(crate) mod issue;
pub(crate) mod list;
pub(crate) mod report_leak;
pub(crate) mod revoke;
