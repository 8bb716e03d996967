//! Profiles: registering one, getting back into it, looking at it and changing it.

pub(crate) mod me;
pub(crate) mod public;
pub(crate) mod recover;
pub(crate) mod register;
pub(crate) mod update;
pub(crate) mod writer;
