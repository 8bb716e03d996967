//! Pages for people: rendered on the server, useful without scripts.

pub(crate) mod agent;
pub(crate) mod api_reference;
mod calls;
pub(crate) mod docs;
mod docs_search;
pub(crate) mod error;
mod filters;
mod history;
pub(crate) mod home;
pub(crate) mod icon;
pub(crate) mod layout;
pub(crate) mod legal;
pub(crate) mod listing;
pub(crate) mod marketplace;
mod nothing;
pub(crate) mod part;
mod plots;
mod prose;
mod query;
pub(crate) mod reader;
mod reviews;
mod rows;
mod schema;
mod score_parts;
mod score_scale;
pub(crate) mod sitemap;
pub(crate) mod status;
