//! The history of calls, and the ledger.

pub(crate) mod account;
pub(crate) mod ledger;
mod page;
pub(crate) mod requests;
