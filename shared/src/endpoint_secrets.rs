//! The secrets of endpoints. Each is either in Secrets Manager, or sealed in the listing's item by a key that Secrets Manager holds.

mod both;
mod endpoint;
mod keyring;
mod secrets_manager;
mod store;

pub use crate::secret_store_error::SecretStoreError;
pub use both::EndpointSecrets;
pub use endpoint::{AuthHeader, Derivation, EndpointSecret, SigningKey};
pub use keyring::Keyring;
pub use secrets_manager::SecretsManager;
pub use store::{DeleteSecrets, ListedSecret, Place, ReadSecrets, SecretPage, SweepSecrets, WriteSecrets, new_version};
