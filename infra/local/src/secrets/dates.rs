//! When secrets were created and last changed, by the clock of the stack. The emulator knows the system's time only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crochet::clock::Clock;
use crochet_domain::timestamp::unix_ms;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The dates of one secret, in Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Dated {
    created_ms: i64,
    changed_ms: i64,
}

/// The dates of all secrets, by name. Clones share them.
#[derive(Clone)]
pub(super) struct Dates {
    clock: Clock,
    secrets: Arc<Mutex<HashMap<String, Dated>>>,
}

impl Dates {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, secrets: Arc::default() }
    }

    /// Notes that an operation on this secret has succeeded now.
    pub(super) fn note(&self, operation: &str, name: &str) {
        let now_ms = unix_ms(self.clock.now());
        let mut secrets = self.secrets();
        match operation {
            "CreateSecret" => {
                secrets.insert(name.to_owned(), Dated { created_ms: now_ms, changed_ms: now_ms });
            }
            "PutSecretValue" | "UpdateSecret" => {
                if let Some(dated) = secrets.get_mut(name) {
                    dated.changed_ms = now_ms;
                }
            }
            _ => {}
        }
    }

    /// The dates of a secret.
    pub(super) fn of(&self, name: &str) -> Option<Dated> {
        self.secrets().get(name).copied()
    }

    /// Sets the dates of a secret that was restored.
    pub(super) fn set(&self, name: &str, dated: Dated) {
        self.secrets().insert(name.to_owned(), dated);
    }

    /// Puts the dates into a description of a secret.
    pub(super) fn show(&self, described: &mut Value) {
        if let Some(dated) = described["Name"].as_str().and_then(|name| self.of(name)) {
            described["CreatedDate"] = seconds(dated.created_ms);
            described["LastChangedDate"] = seconds(dated.changed_ms);
        }
    }

    fn secrets(&self) -> MutexGuard<'_, HashMap<String, Dated>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A time as the API shows it: in seconds, with a fraction.
fn seconds(ms: i64) -> Value {
    serde_json::Number::from_f64(ms as f64 / 1_000.0).map_or(json!(ms / 1_000), Value::Number)
}
