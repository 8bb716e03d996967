//! Profiles: registering, recovering, reading and changing them.

pub(crate) mod me;
pub(crate) mod public;
pub(crate) mod recover;
pub(crate) mod register;
pub(crate) mod update;
