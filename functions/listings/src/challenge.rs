//! The proof of work required to create a listing.

pub(crate) mod create;
pub(crate) mod pow_answer;
