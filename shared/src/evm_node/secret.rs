//! A node whose URL is in a secret of the operator.

use std::time::{Duration, Instant};

use crochet_domain::ids::sha256_hex;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::{Mutex, OnceCell};

use super::{EvmNode, NodeFault};
use crate::config::Config;

/// How long the URL is used before the secret is read again.
const FRESH: Duration = Duration::from_secs(300);

/// The node that a secret in Secrets Manager names. The secret is read when a signature first needs it, so that a cold start does not
/// wait for it.
#[derive(Debug)]
pub struct NodeSecret {
    id: String,
    endpoint: Option<String>,
    client: OnceCell<aws_sdk_secretsmanager::Client>,
    read: Mutex<Option<Read>>,
}

/// What the secret said.
#[derive(Debug)]
struct Read {
    at: Instant,
    url_sha256: String,
    node: Option<EvmNode>,
}

/// The secret's JSON. An empty URL means that there is no node.
#[derive(Deserialize)]
struct Stored {
    #[serde(default)]
    evm_rpc_url: SecretString,
}

impl NodeSecret {
    /// The secret that `config` names, if any.
    #[must_use]
    pub fn of(config: &Config) -> Option<Self> {
        let id = config.node_secret_id.clone()?;
        Some(Self { id, endpoint: config.secrets_endpoint.clone(), client: OnceCell::new(), read: Mutex::default() })
    }

    /// The node, or `None` if the secret holds no URL. A change of the secret counts after at most five minutes.
    ///
    /// # Errors
    /// The secret cannot be read, and was not read before; or it holds something else than an https URL.
    pub async fn node(&self) -> Result<Option<EvmNode>, NodeFault> {
        let mut read = self.read.lock().await;
        if let Some(known) = read.as_ref().filter(|known| known.at.elapsed() < FRESH) {
            return Ok(known.node.clone());
        }
        let url = match (self.stored().await, read.as_mut()) {
            (Ok(stored), _) => stored.evm_rpc_url,
            (Err(_), Some(known)) => {
                known.at = Instant::now();
                return Ok(known.node.clone());
            }
            (Err(fault), None) => return Err(fault),
        };
        let url_sha256 = sha256_hex(url.expose_secret());
        // The same URL keeps what is known about the node's chain.
        let known = read.take().filter(|known| known.url_sha256 == url_sha256).and_then(|known| known.node);
        let node = match url.expose_secret() {
            "" => None,
            text if text.starts_with("https://") || self.endpoint.is_some() => {
                Some(known.unwrap_or_else(|| EvmNode::new(url.clone())))
            }
            _ => return Err(NodeFault::Unavailable("the secret with its URL holds no https URL")),
        };
        *read = Some(Read { at: Instant::now(), url_sha256, node: node.clone() });
        Ok(node)
    }

    async fn stored(&self) -> Result<Stored, NodeFault> {
        let client = self.client.get_or_init(|| crate::aws::secrets_client(self.endpoint.as_deref())).await;
        // Not counted as a trip of the request: one of many requests reads it.
        let reply = client
            .get_secret_value()
            .secret_id(&self.id)
            .send()
            .await
            .map_err(|_| NodeFault::Unavailable("the secret with its URL cannot be read"))?;
        let stored = serde_json::from_str(reply.secret_string().unwrap_or_default());
        stored.map_err(|_| NodeFault::Unavailable("the secret with its URL is not the expected JSON"))
    }
}
