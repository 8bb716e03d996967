//! What can go wrong in a search: nothing, unless there is a bug.

use crochet::http::ApiError;
use crochet::store::StoreError;
use tantivy::TantivyError;

/// A structure of our own cannot be written or read: a bug. The index lives in memory and everything in it was written here.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// tantivy could not write or read the text index.
    #[error("search: text index: {0}")]
    Index(#[from] TantivyError),
    /// The stored details of a listing are not what this version writes.
    #[error("search: listing details: {0}")]
    Details(#[from] serde_json::Error),
    /// Two of our own structures contradict each other.
    #[error("search: {0}")]
    Inconsistent(&'static str),
}

impl From<SearchError> for StoreError {
    fn from(error: SearchError) -> Self {
        Self::Defect(error.to_string())
    }
}

impl From<SearchError> for ApiError {
    fn from(error: SearchError) -> Self {
        StoreError::from(error).into()
    }
}
