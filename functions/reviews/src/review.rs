//! Reviews of listings.

pub(crate) mod answer;
pub(crate) mod create;
mod evidence;
pub(crate) mod list;
pub(crate) mod of_agent;
mod opinion;
mod page;
pub(crate) mod replace;
mod writer;
