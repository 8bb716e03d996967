//! Why Secrets Manager gave no secret, or took none.

use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};

/// Secrets Manager did not complete a request. Contains no part of any secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretStoreError {
    /// The secret, or the requested version of it, does not exist; of a sealed one, the key.
    #[error("the secret or its version does not exist")]
    NotFound,
    /// A secret with this name already exists.
    #[error("a secret with this name already exists")]
    AlreadyExists,
    /// Secrets Manager returned this error code.
    #[error("Secrets Manager returned {0}")]
    Service(String),
    /// The request timed out. It may still take effect.
    #[error("the request to Secrets Manager timed out")]
    Timeout,
    /// No response arrived. The request may still take effect.
    #[error("no response from Secrets Manager")]
    NoResponse,
    /// The value does not have the expected form.
    #[error("{0}")]
    Malformed(&'static str),
    /// A secret of the operator, on which others depend, does not exist or does not have the expected form. Only the operator can mend it.
    #[error("{0}")]
    OfOperator(&'static str),
}

impl SecretStoreError {
    /// Whether an endpoint's secret can never be used again, so that its seller has to set the URL again.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::NotFound | Self::Malformed(_))
    }

    /// What a failure of the client means.
    pub(crate) fn of<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> Self {
        match &error {
            SdkError::ServiceError(service) => match service.err().code() {
                Some("ResourceNotFoundException") => Self::NotFound,
                Some("ResourceExistsException") => Self::AlreadyExists,
                code => Self::Service(code.unwrap_or("an unknown error").to_owned()),
            },
            SdkError::TimeoutError(_) => Self::Timeout,
            _ => Self::NoResponse,
        }
    }
}
