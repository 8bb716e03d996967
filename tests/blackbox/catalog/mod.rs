//! What buyers read: listings and categories.

mod browse;
mod browse_pages;
mod browse_text;
mod categories;
mod get;
mod listing_openapi;
mod snapshot;
