//! Listings, as buyers see them; and as their sellers do.

pub(crate) mod browse;
mod filters;
pub(crate) mod read;
