//! The session of the person who is logged in.

pub(crate) mod end;
pub(crate) mod read;
