//! The two stores as one. Each endpoint says where its secret is; the configuration says where the next version goes.

use std::fmt;
use std::sync::Arc;

use crochet_domain::ids::ListingId;
use crochet_domain::listing::{Endpoint, SealedSecret};
use crochet_domain::timestamp::unix_ms;
use crochet_domain::webhook_signature::SigningSecret;
use futures::future::BoxFuture;

use super::endpoint::{EndpointSecret, SigningKey};
use super::keyring::Keyring;
use super::secrets_manager::SecretsManager;
use super::store::{DeleteSecrets, Place, ReadSecrets, SecretPage, SweepSecrets, WriteSecrets};
use crate::app::App;
use crate::clock::Clock;
use crate::config::EndpointStore;
use crate::operator_secret::OperatorSecret;
use crate::secret_store_error::SecretStoreError;

/// How often the keyring is read because it lacks a key (milliseconds).
const MISSED_KEY_READS_MS: i64 = 10_000;

/// The secrets of endpoints, wherever they are.
#[derive(Clone)]
pub struct EndpointSecrets {
    manager: SecretsManager,
    keyring: Arc<OperatorSecret<Keyring>>,
    next: EndpointStore,
    clock: Clock,
}

impl fmt::Debug for EndpointSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EndpointSecrets(…)")
    }
}

impl EndpointSecrets {
    /// Connects to Secrets Manager. The keyring is read when it is first needed.
    pub async fn connect(app: &App) -> Self {
        Self {
            manager: SecretsManager::connect(&app.config).await,
            keyring: Arc::new(OperatorSecret::of(app, &app.config.keyring_secret_id)),
            next: app.config.endpoint_secrets,
            clock: app.clock.clone(),
        }
    }

    async fn open(
        &self,
        listing: ListingId,
        version: &str,
        sealed: &SealedSecret,
    ) -> Result<Arc<EndpointSecret>, SecretStoreError> {
        let mut keyring = self.keyring.current().await?;
        if !keyring.has(&sealed.key) {
            keyring = self.keyring.no_older_than(MISSED_KEY_READS_MS).await?;
            if !keyring.has(&sealed.key) {
                return Err(SecretStoreError::NotFound);
            }
        }
        keyring.open(listing, version, sealed).map(Arc::new)
    }
}

impl ReadSecrets for EndpointSecrets {
    fn read<'a>(
        &'a self,
        listing: ListingId,
        endpoint: &'a Endpoint,
    ) -> BoxFuture<'a, Result<Arc<EndpointSecret>, SecretStoreError>> {
        Box::pin(async move {
            match &endpoint.sealed {
                Some(sealed) => self.open(listing, &endpoint.secret_version, sealed).await,
                None => self.manager.read(listing, &endpoint.secret_version).await,
            }
        })
    }
}

impl WriteSecrets for EndpointSecrets {
    fn read_fresh<'a>(
        &'a self,
        listing: ListingId,
        endpoint: &'a Endpoint,
    ) -> BoxFuture<'a, Result<Arc<EndpointSecret>, SecretStoreError>> {
        Box::pin(async move {
            match &endpoint.sealed {
                Some(sealed) => self.open(listing, &endpoint.secret_version, sealed).await,
                None => self.manager.read_fresh(listing, &endpoint.secret_version).await,
            }
        })
    }

    fn is_current<'a>(&'a self, sealed: &'a SealedSecret) -> BoxFuture<'a, Result<bool, SecretStoreError>> {
        Box::pin(async move { Ok(self.keyring.current().await?.current(unix_ms(self.clock.now()))? == sealed.key) })
    }

    fn new_signing_key(&self, listing: ListingId) -> BoxFuture<'_, Result<SigningKey, SecretStoreError>> {
        Box::pin(async move {
            match self.next {
                EndpointStore::PerListing => Ok(SigningKey::of(SigningSecret::generate())),
                EndpointStore::Sealed => self.keyring.current().await?.new_signing_key(listing, unix_ms(self.clock.now())),
            }
        })
    }

    fn write<'a>(
        &'a self,
        listing: ListingId,
        version: &'a str,
        secret: &'a EndpointSecret,
        place: Place,
    ) -> BoxFuture<'a, Result<Option<SealedSecret>, SecretStoreError>> {
        Box::pin(async move {
            match place {
                Place::Sealed => {
                    let keyring = self.keyring.current().await?;
                    keyring.seal(listing, version, secret, unix_ms(self.clock.now())).map(Some)
                }
                Place::NewSecret => self.manager.create(listing, version, secret).await.map(|()| None),
                Place::SameSecret => self.manager.add_version(listing, version, secret).await.map(|()| None),
            }
        })
    }
}

impl DeleteSecrets for EndpointSecrets {
    fn delete(&self, listing: ListingId) -> BoxFuture<'_, Result<(), SecretStoreError>> {
        self.manager.delete(listing)
    }
}

impl SweepSecrets for EndpointSecrets {
    fn list(&self, from: Option<String>) -> BoxFuture<'_, Result<SecretPage, SecretStoreError>> {
        self.manager.list(from)
    }
}
