//! What became of calls, and the books.

pub(crate) mod ledger;
pub(crate) mod page;
pub(crate) mod requests;
