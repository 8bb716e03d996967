//! A secret of the operator, as running functions read it: when it is first needed, and again every five minutes.

use std::fmt;
use std::sync::Arc;

use crochet_domain::timestamp::unix_ms;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, OnceCell};

use crate::app::App;
use crate::clock::Clock;
use crate::secret_store_error::SecretStoreError;

/// How long a secret is used before it is read again: five minutes.
pub const READ_AGAIN_MS: i64 = 300_000;

/// Codes of Secrets Manager for a secret that is scheduled for deletion, that may not be read, or whose key may not be used.
const DENIED: [&str; 3] = ["InvalidRequestException", "AccessDeniedException", "DecryptionFailure"];

/// A secret of the operator. Nothing of it is printed.
pub struct OperatorSecret<T> {
    /// Where it is read; `None` if it is fixed.
    source: Option<Source>,
    read: Mutex<Option<Read<T>>>,
}

struct Source {
    id: String,
    endpoint: Option<String>,
    client: OnceCell<aws_sdk_secretsmanager::Client>,
    clock: Clock,
}

/// What was read, and when. The same text stays the same value.
struct Read<T> {
    at_ms: i64,
    text: SecretString,
    value: Arc<T>,
}

impl<T> fmt::Debug for OperatorSecret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorSecret(…)")
    }
}

impl<T: DeserializeOwned> OperatorSecret<T> {
    /// The secret with this id. It is read when it is first needed, so that no cold start waits for it.
    #[must_use]
    pub fn of(app: &App, id: &str) -> Self {
        let source = Source {
            id: id.to_owned(),
            endpoint: app.config.secrets_endpoint.clone(),
            client: OnceCell::new(),
            clock: app.clock.clone(),
        };
        Self { source: Some(source), read: Mutex::default() }
    }

    /// A value that is never read.
    #[must_use]
    pub fn fixed(value: T) -> Self {
        let read = Read { at_ms: 0, text: SecretString::default(), value: Arc::new(value) };
        Self { source: None, read: Mutex::new(Some(read)) }
    }

    /// What the secret says. A change of it counts after at most five minutes.
    ///
    /// # Errors
    /// The secret cannot be read, and was not read before.
    pub async fn current(&self) -> Result<Arc<T>, SecretStoreError> {
        self.no_older_than(READ_AGAIN_MS).await
    }

    /// What the secret said at most so many milliseconds ago.
    ///
    /// # Errors
    /// As [`OperatorSecret::current`].
    pub async fn no_older_than(&self, age_ms: i64) -> Result<Arc<T>, SecretStoreError> {
        let mut read = self.read.lock().await;
        match (&self.source, read.as_ref()) {
            (None, Some(known)) => Ok(Arc::clone(&known.value)),
            (Some(source), Some(known)) if (unix_ms(source.clock.now()) - known.at_ms).abs() < age_ms => {
                Ok(Arc::clone(&known.value))
            }
            _ => self.read_into(&mut read).await,
        }
    }

    /// What the secret says now, for a caller who was refused with what it said before (`seen`). Of callers at the same time, one
    /// reads.
    ///
    /// # Errors
    /// As [`OperatorSecret::current`].
    pub async fn newer_than(&self, seen: &Arc<T>) -> Result<Arc<T>, SecretStoreError> {
        let mut read = self.read.lock().await;
        match read.as_ref() {
            Some(known) if !Arc::ptr_eq(&known.value, seen) => Ok(Arc::clone(&known.value)),
            _ => self.read_into(&mut read).await,
        }
    }

    /// Reads. If that fails, what was read before is used on.
    async fn read_into(&self, read: &mut Option<Read<T>>) -> Result<Arc<T>, SecretStoreError> {
        let Some(source) = &self.source else {
            let known = read.as_ref().map(|known| Arc::clone(&known.value));
            return known.ok_or(SecretStoreError::OfOperator("a fixed secret has no value"));
        };
        let at_ms = unix_ms(source.clock.now());
        let found = source.text().await.and_then(|text| match read.take_if(|known| same(&known.text, &text)) {
            Some(known) => Ok(Read { at_ms, ..known }),
            None => {
                let value = serde_json::from_str(text.expose_secret());
                let value = value.map_err(|_| SecretStoreError::OfOperator("a secret of the operator is not the expected JSON"))?;
                Ok(Read { at_ms, text, value: Arc::new(value) })
            }
        });
        match (found, read.as_mut()) {
            (Ok(found), _) => Ok(Arc::clone(&read.insert(found).value)),
            (Err(error), Some(known)) => {
                tell(&source.id, &error);
                known.at_ms = at_ms;
                Ok(Arc::clone(&known.value))
            }
            (Err(error), None) => {
                tell(&source.id, &error);
                Err(error)
            }
        }
    }
}

impl Source {
    async fn text(&self) -> Result<SecretString, SecretStoreError> {
        let client = self.client.get_or_init(|| crate::aws::secrets_client(self.endpoint.as_deref())).await;
        // Not counted as a trip of the request: one of many requests reads it.
        let reply =
            client.get_secret_value().secret_id(&self.id).send().await.map_err(|error| match SecretStoreError::of(error) {
                SecretStoreError::NotFound => SecretStoreError::OfOperator("a secret of the operator does not exist"),
                SecretStoreError::Service(code) if DENIED.contains(&code.as_str()) => {
                    SecretStoreError::OfOperator("a secret of the operator is to be deleted, or may not be read")
                }
                error => error,
            })?;
        reply.secret_string.map(SecretString::from).ok_or(SecretStoreError::OfOperator("a secret of the operator is not text"))
    }
}

/// Logs why a secret could not be read. What only the operator can mend is an alarm, also while instances go on with what they have read.
fn tell(id: &str, error: &SecretStoreError) {
    if let SecretStoreError::OfOperator(cause) = error {
        tracing::error!(alarm = true, secret = id, cause, "a secret of the operator has to be mended");
    } else {
        tracing::warn!(secret = id, %error, "a secret of the operator could not be read");
    }
}

/// Not a constant-time comparison: nobody but the operator chooses either.
fn same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}
