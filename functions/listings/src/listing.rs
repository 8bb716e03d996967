//! Creating, changing and withdrawing listings.

mod change;
pub(crate) mod create;
pub(crate) mod delete;
mod own_json;
mod pricing;
mod reply;
mod slug;
pub(crate) mod update;
mod warnings;
