//! Search over listings in memory: a text index, filters and total orders. Pure.

mod characters;
pub(crate) mod entry;
mod error;
pub(crate) mod hits;
pub(crate) mod index;
mod owned;
mod query;
pub(crate) mod segment;
pub(crate) mod segment_set;
pub(crate) mod tokenizer;

#[cfg(test)]
pub(crate) mod tests;

pub use error::SearchError;
pub use hits::Page;
pub(crate) use owned::search_owned;
pub use query::{Search, Sort};
pub use tokenizer::QueryTerm;
