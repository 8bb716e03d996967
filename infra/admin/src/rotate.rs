//! `crochet-admin rotate-keys`: another value for one of the operator's secrets, with the one before still in use.

use crochet::app::App;
use crochet::config::{OwnKeys, ProviderSecret, Seeds};
use crochet::endpoint_secrets::SecretsManager;
use crochet::operator_secret::{OperatorSecret, READ_AGAIN_MS};
use crochet_domain::ids::{random_bytes, sha256_hex};
use crochet_domain::timestamp::{from_unix_ms, rfc3339, unix_ms};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::input::Input;

/// How long a new key of our own is known before it is used: twice as long as instances take to read it.
const KNOWN_BEFORE_MS: i64 = 2 * READ_AGAIN_MS;
/// How long a key for cursors is used at least. The one before it ends with the next rotation.
const CURSORS_KEPT_MS: i64 = 3_600_000;
/// How long a new key for receipts is shown before it signs: an hour, for whoever keeps the public keys.
const SHOWN_BEFORE_MS: i64 = 3_600_000;

/// Which secret gets another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secret {
    /// The payment provider's key, from standard input.
    Provider,
    /// The URL of the EVM node, from standard input.
    Node,
    /// The key of cursors.
    Cursors,
    /// The key of receipts.
    Receipts,
    /// The key that seals endpoints.
    Endpoints,
}

impl Secret {
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        match name {
            "provider" => Ok(Self::Provider),
            "node" => Ok(Self::Node),
            "cursors" => Ok(Self::Cursors),
            "receipts" => Ok(Self::Receipts),
            "endpoints" => Ok(Self::Endpoints),
            other => Err(format!("\"{other}\" is not a secret of the operator: provider, node, cursors, receipts or endpoints.")),
        }
    }
}

/// Gives a secret another value. Returns what was done, as text.
///
/// # Errors
/// One sentence that says why it was not done.
pub(crate) async fn rotate(app: &App, secret: Secret, input: &Input) -> Result<String, String> {
    let config = &app.config;
    let now_ms = unix_ms(app.clock.now());
    let random = || sha256_hex(random_bytes::<32>());
    match secret {
        Secret::Provider => {
            let key = input.line("the provider's new key")?;
            let before: ProviderSecret = read(app, &config.provider_secret_id).await?;
            if key.expose_secret() == before.key.expose_secret() {
                return Err("That is the key in use.".to_owned());
            }
            put(app, &config.provider_secret_id, &before.rotated(&key, now_ms)).await?;
            Ok("Instances use the new key within five minutes, and at once when the provider refuses the one before.\n".to_owned())
        }
        Secret::Node => {
            let url = input.line("the node's new URL")?;
            // A local stack may ask a node on this machine.
            let is_local = config.secrets_endpoint.is_some() && url.expose_secret().starts_with("http://127.0.0.1:");
            if !url.expose_secret().starts_with("https://") && !is_local {
                return Err("The node's URL must begin with https://.".to_owned());
            }
            let id = config.node_secret_id.as_deref().ok_or("CROCHET_NODE_SECRET_ID must name the secret of the node.")?;
            put(app, id, &json!({ "evm_rpc_url": url.expose_secret() }).to_string().into()).await?;
            Ok("Instances use the new URL within five minutes, and at once when the node refuses the one before with 401 or 403.\n"
                .to_owned())
        }
        Secret::Cursors => {
            let before: OwnKeys = read(app, &config.keys_secret_id).await?;
            let again_ms = before.cursor_key_from_ms + CURSORS_KEPT_MS;
            if now_ms < again_ms {
                let again = rfc3339(from_unix_ms(again_ms));
                return Err(format!(
                    "The last rotation is too recent: cursors of the key before would end. Rotate again from {again} on."
                ));
            }
            let from_ms = now_ms + KNOWN_BEFORE_MS;
            put(app, &config.keys_secret_id, &before.rotated(&random(), from_ms)).await?;
            Ok(format!(
                "Cursors are signed with a new key from {} on. Those of the one before stay valid.\n",
                rfc3339(from_unix_ms(from_ms))
            ))
        }
        Secret::Endpoints => {
            let before: Seeds = read(app, &config.keyring_secret_id).await?;
            let from_ms = now_ms + KNOWN_BEFORE_MS;
            put(app, &config.keyring_secret_id, &before.rotated(&random(), from_ms)).await?;
            let from = rfc3339(from_unix_ms(from_ms));
            Ok(format!("Endpoints are sealed with a new key from {from} on. `endpoints move sealed` then seals all with it.\n"))
        }
        Secret::Receipts => {
            let before: Seeds = read(app, &config.receipt_secret_id).await?;
            let from_ms = now_ms + SHOWN_BEFORE_MS;
            put(app, &config.receipt_secret_id, &before.rotated(&random(), from_ms)).await?;
            Ok(format!("Receipts are signed with a new key from {} on.\n", rfc3339(from_unix_ms(from_ms))))
        }
    }
}

async fn read<T: DeserializeOwned + Clone>(app: &App, id: &str) -> Result<T, String> {
    let secret = OperatorSecret::<T>::of(app, id).current().await.map_err(|error| error.to_string())?;
    Ok(T::clone(&secret))
}

async fn put(app: &App, id: &str, text: &SecretString) -> Result<(), String> {
    let secrets = SecretsManager::connect(&app.config).await;
    secrets.put_operator_secret(id, text).await.map_err(|error| error.to_string())
}
