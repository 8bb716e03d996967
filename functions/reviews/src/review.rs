//! Reviews of listings.

pub(crate) mod answer;
pub(crate) mod create;
mod evidence;
pub(crate) mod list;
mod opinion;
mod page;
pub(crate) mod replace;
mod writer;
pub(crate) mod of_agent;
