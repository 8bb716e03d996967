//! A recent state of the catalogue, stored in the table, so that a cold instance does not have to read every listing.

pub(crate) mod format;
pub(crate) mod load;

pub use format::FORMAT;
