//! What became of calls, and the books.

pub(crate) mod account;
pub(crate) mod ledger;
mod page;
pub(crate) mod requests;
