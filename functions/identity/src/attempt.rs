//! One attempt of a read-decide-write cycle, which is repeated after a conflict.

use crochet::http::{ApiError, Code};
use crochet::store::StoreError;
use crochet::store::retry::MayConflict;

/// Why an attempt failed.
#[derive(Debug)]
pub(crate) enum AttemptError {
    /// The store failed. After a conflict the attempt is repeated.
    Store(StoreError),
    /// The request is refused.
    Refused(ApiError),
}

impl AttemptError {
    /// The error for the caller. `store_error` translates a failure of the store.
    pub(crate) fn into_api_error(self, store_error: impl FnOnce(StoreError) -> ApiError) -> ApiError {
        match self {
            Self::Store(error) => store_error(error),
            Self::Refused(error) => error,
        }
    }
}

impl MayConflict for AttemptError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_conflict())
    }
}

impl From<StoreError> for AttemptError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ApiError> for AttemptError {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl From<Code> for AttemptError {
    fn from(code: Code) -> Self {
        Self::Refused(code.into())
    }
}

impl From<AttemptError> for ApiError {
    fn from(error: AttemptError) -> Self {
        error.into_api_error(Self::from)
    }
}
