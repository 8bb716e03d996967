//! Profiles: registering one, getting back into it, and looking at one's own.

pub(crate) mod me;
pub(crate) mod recover;
pub(crate) mod register;
