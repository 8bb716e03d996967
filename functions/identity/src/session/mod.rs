//! The sessions of the person who is logged in.

pub(crate) mod end;
pub(crate) mod list;
pub(crate) mod read;
