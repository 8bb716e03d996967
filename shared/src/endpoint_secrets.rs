//! Secrets in AWS Secrets Manager: one per listing endpoint, and the operator's own. None of them is ever stored in the table.

mod endpoint;
mod secrets_manager;
mod store;

pub use endpoint::{AuthHeader, EndpointSecret, SigningKey};
pub use secrets_manager::SecretsManager;
pub use store::{DeleteSecrets, ListedSecret, ReadSecrets, SecretPage, SecretStoreError, SweepSecrets, WriteSecrets, new_version};
