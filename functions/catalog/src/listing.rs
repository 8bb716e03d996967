//! Reading listings.

pub(crate) mod browse;
mod filters;
pub(crate) mod read;
