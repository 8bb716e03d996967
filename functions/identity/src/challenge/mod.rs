//! Requesting challenges.

pub(crate) mod create;
mod request;
