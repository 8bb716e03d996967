//! The proof of work that a new listing asks for.

pub(crate) mod answer;
pub(crate) mod create;
