//! Reading listings.

pub(crate) mod browse;
pub(crate) mod filters;
pub(crate) mod openapi;
pub(crate) mod read;
mod schema_refs;
