//! Reviews of listings.

pub(crate) mod list;
