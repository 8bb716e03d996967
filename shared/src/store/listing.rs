//! Listings, by id, slug and owner. `listing_changes.rs` reads them in order of change.

mod create;
mod read;
mod record;
mod write;

pub use create::CreateListingError;
