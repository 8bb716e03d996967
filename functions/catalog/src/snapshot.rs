//! A recent state of the catalogue, stored in the table, so that a cold instance does not have to read every listing.

pub(crate) mod format;
pub(crate) mod load;
mod write;

pub use format::FORMAT;
pub use write::{Outcome, Schedule, write};
