//! A node whose URL is in a secret of the operator.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{EvmNode, NodeFault};
use crate::app::App;
use crate::operator_secret::OperatorSecret;
use crate::secret_store_error::SecretStoreError;

/// The node that a secret in Secrets Manager names. The secret is read when a signature first needs it.
#[derive(Debug)]
pub struct NodeSecret {
    secret: OperatorSecret<Named>,
    may_be_plain: bool,
}

/// What the secret says. As long as its text stays the same, so does the node, with what is known of its chain.
#[derive(Deserialize)]
#[serde(from = "Stored")]
struct Named {
    node: Option<EvmNode>,
    is_https: bool,
}

/// The secret's JSON. An empty URL means that there is no node.
#[derive(Deserialize)]
struct Stored {
    #[serde(default)]
    evm_rpc_url: SecretString,
}

impl From<Stored> for Named {
    fn from(stored: Stored) -> Self {
        let url = stored.evm_rpc_url;
        let is_https = url.expose_secret().starts_with("https://");
        Self { node: (!url.expose_secret().is_empty()).then(|| EvmNode::new(url)), is_https }
    }
}

impl NodeSecret {
    /// The secret that the configuration of `app` names, if any.
    #[must_use]
    pub fn of(app: &App) -> Option<Self> {
        let id = app.config.node_secret_id.as_deref()?;
        Some(Self { secret: OperatorSecret::of(app, id), may_be_plain: app.config.secrets_endpoint.is_some() })
    }

    /// Whether the secret holds a URL.
    ///
    /// # Errors
    /// The secret cannot be read, and was not read before.
    pub async fn names_a_node(&self) -> Result<bool, NodeFault> {
        Ok(self.secret.current().await.map_err(unreadable)?.node.is_some())
    }

    /// Runs a program on the node, as [`EvmNode::run`] does; `None` if the secret holds no URL. A change of the secret counts after at
    /// most five minutes, and at once when the node refuses the key in the URL before.
    ///
    /// # Errors
    /// As [`EvmNode::run`]; or the secret cannot be read and was not read before, or holds something else than an https URL.
    pub async fn run(&self, program: &[u8]) -> Result<Option<Vec<u8>>, NodeFault> {
        let named = self.secret.current().await.map_err(unreadable)?;
        match self.run_on(&named, program).await {
            Err(NodeFault::Refused) => {
                let newer = self.secret.newer_than(&named).await.map_err(unreadable)?;
                if Arc::ptr_eq(&newer, &named) { Err(NodeFault::Refused) } else { self.run_on(&newer, program).await }
            }
            answer => answer,
        }
    }

    async fn run_on(&self, named: &Named, program: &[u8]) -> Result<Option<Vec<u8>>, NodeFault> {
        match &named.node {
            None => Ok(None),
            Some(_) if !named.is_https && !self.may_be_plain => {
                Err(NodeFault::Misconfigured("the secret with its URL holds no https URL"))
            }
            Some(node) => node.run(program).await.map(Some),
        }
    }
}

fn unreadable(error: SecretStoreError) -> NodeFault {
    NodeFault::Unavailable(match error {
        SecretStoreError::OfOperator(cause) => cause,
        _ => "the secret with its URL cannot be read",
    })
}
