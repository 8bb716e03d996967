//! Why an operation of the store failed.

use std::fmt;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// Why an operation of the store failed. Every operation of [`Store`](super::Store) that reads or writes may fail like this.
///
/// It never contains what was requested: no key, no item.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB gave no usable reply within the client's own attempts. A write may still have been made.
    #[error("DynamoDB is unavailable: {0}")]
    Unavailable(String),
    /// Another writer came first. Read again, then decide: see [`retry_on_conflict`](super::retry::retry_on_conflict).
    #[error("another write came first")]
    Conflict,
    /// Nothing was written, because the session that the write was for has ended.
    #[error("the session is over")]
    SessionOver,
    /// An item does not have the form that this version of the program defines. This is a bug or a damaged item.
    #[error("an item is not what this version defines: {0}")]
    Defect(String),
}

impl StoreError {
    pub(crate) fn defect(error: impl fmt::Display) -> Self {
        Self::Defect(error.to_string())
    }

    /// Keeps the class of an SDK error and its code, never what was sent.
    pub(crate) fn sdk<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> Self {
        let class = match &error {
            SdkError::ConstructionFailure(_) => "request could not be built".to_owned(),
            SdkError::TimeoutError(_) => "no answer in time".to_owned(),
            SdkError::DispatchFailure(_) => "no connection".to_owned(),
            SdkError::ResponseError(_) => "unreadable answer".to_owned(),
            SdkError::ServiceError(e) => {
                format!("{}: {}", e.err().code().unwrap_or("unknown"), e.err().message().unwrap_or_default())
            }
            _ => "unknown failure".to_owned(),
        };
        if matches!(&error, SdkError::ServiceError(e) if e.err().code() == Some("TransactionConflictException")) {
            return Self::Conflict;
        }
        Self::Unavailable(class)
    }
}
