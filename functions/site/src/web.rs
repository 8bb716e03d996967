//! Pages for people: rendered on the server, useful without scripts.

pub(crate) mod error;
pub(crate) mod home;
mod icon;
pub(crate) mod layout;
pub(crate) mod legal;
mod part;
mod prose;
pub(crate) mod reader;
mod rows;
mod score_scale;
pub(crate) mod status;
