//! Creating, changing and deleting listings.

mod change;
pub(crate) mod create;
pub(crate) mod delete;
mod json_fields;
mod pricing;
mod reply;
mod slug;
pub(crate) mod update;
