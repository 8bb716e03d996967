//! The catalogue as it was a while ago, kept in the table, so that a cold instance need not read every listing.

pub(crate) mod format;
pub(crate) mod load;
mod write;

pub use format::FORMAT;
pub use write::{DueOr, Outcome, write};
