//! JSON-RPC client of a node of the EVM chain that messages to sign name. Its URL may contain the operator's key and is never
//! printed.

mod secret;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::outbound::operator_client;
use crate::telemetry::meter::trip;
use crochet_domain::challenge::EVM_CHAIN_ID;
use crochet_domain::ids::random_bytes;
pub use secret::NodeSecret;

/// Time limit of [`EvmNode::run`], which sends two requests at first and one later.
const BUDGET: Duration = Duration::from_secs(3);
/// Maximum length of a reply. A valid one is shorter than a kilobyte.
const MAX_REPLY_BYTES: usize = 16 * 1024;
/// Gas limit of a program. Below the limit of one transaction (EIP-7825: 16,777,216).
const GAS: u64 = 12_000_000;

/// Why a node gave no result. The text is for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NodeFault {
    /// It could not be reached, was too slow, or gave no result.
    #[error("{0}")]
    Unavailable(&'static str),
    /// It does not accept the key in its URL (HTTP 401 or 403).
    #[error("it does not accept the key in its URL")]
    Refused,
    /// The secret with its URL holds something else.
    #[error("{0}")]
    Misconfigured(&'static str),
    /// It serves a chain other than [`EVM_CHAIN_ID`]: the operator set the wrong URL.
    #[error("CROCHET_EVM_RPC_URL leads to chain {0}, and messages to sign name chain {EVM_CHAIN_ID}")]
    OtherChain(u64),
}

/// The node. Cloning is cheap; clones share what they know about its chain.
#[derive(Clone, Debug)]
pub struct EvmNode {
    http: reqwest::Client,
    /// Providers put keys into URLs.
    url: SecretString,
    right_chain: Arc<AtomicBool>,
}

impl EvmNode {
    /// The node at `url`.
    #[must_use]
    pub fn new(url: SecretString) -> Self {
        Self { http: operator_client(), url, right_chain: Arc::default() }
    }

    /// Runs a program on the chain's newest state and returns its output. Nothing changes on the chain.
    ///
    /// The first result in a process counts only if the node confirms that it serves the right chain.
    ///
    /// # Errors
    /// [`NodeFault`], within three seconds.
    pub async fn run(&self, program: &[u8]) -> Result<Vec<u8>, NodeFault> {
        let work = async {
            let call = self.ask("eth_call", call(program));
            let result = if self.right_chain.load(Ordering::Relaxed) {
                call.await?
            } else {
                let (chain, result) = tokio::join!(self.check_chain(), call);
                chain?;
                result?
            };
            bytes(&result).ok_or(NodeFault::Unavailable("its answer is not understood"))
        };
        let work = trip("chain", tokio::time::timeout(BUDGET, work));
        work.await.unwrap_or(Err(NodeFault::Unavailable("no answer in time")))
    }

    async fn check_chain(&self) -> Result<(), NodeFault> {
        let chain = self.ask("eth_chainId", json!([])).await?;
        let chain = chain.as_str().and_then(|text| u64::from_str_radix(text.strip_prefix("0x")?, 16).ok());
        match chain {
            Some(EVM_CHAIN_ID) => {
                self.right_chain.store(true, Ordering::Relaxed);
                Ok(())
            }
            Some(other) => Err(NodeFault::OtherChain(other)),
            None => Err(NodeFault::Unavailable("its chain id is not understood")),
        }
    }

    /// The `result` of one request.
    async fn ask(&self, method: &str, params: Value) -> Result<Value, NodeFault> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        // The client's error contains the URL, so only its kind is kept.
        let class =
            |error: reqwest::Error| NodeFault::Unavailable(if error.is_timeout() { "no answer in time" } else { "no connection" });
        let mut reply = self.http.post(self.url.expose_secret()).json(&request).send().await.map_err(class)?;
        if matches!(reply.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(NodeFault::Refused);
        }
        if !reply.status().is_success() {
            return Err(NodeFault::Unavailable("it answered with an HTTP error"));
        }
        let mut body = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(class)? {
            if body.len() + chunk.len() > MAX_REPLY_BYTES {
                return Err(NodeFault::Unavailable("its answer is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        let mut reply: Value = serde_json::from_slice(&body).map_err(|_| NodeFault::Unavailable("its answer is not understood"))?;
        if reply.get("error").is_some_and(|error| !error.is_null()) {
            return Err(NodeFault::Unavailable("it answered with a JSON-RPC error"));
        }
        match reply.get_mut("result").map(Value::take) {
            Some(result) if !result.is_null() => Ok(result),
            _ => Err(NodeFault::Unavailable("its answer is not understood")),
        }
    }
}

/// The parameters of `eth_call` for a program. The sender is random: by default, nodes send from the zero address, and some
/// contracts trust it.
fn call(program: &[u8]) -> Value {
    let from = format!("0x01{}", hex::encode(random_bytes::<19>()));
    let input = format!("0x{}", hex::encode(program));
    json!([{ "from": from, "gas": format!("{GAS:#x}"), "data": input }, "latest"])
}

fn bytes(result: &Value) -> Option<Vec<u8>> {
    hex::decode(result.as_str()?.strip_prefix("0x")?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_does_not_print() {
        let node = EvmNode::new("https://node.example/v2/hush-key".into());
        assert!(!format!("{node:?}").contains("hush"));
    }

    #[test]
    fn a_call_has_no_recipient_and_a_sender() {
        let parameters = call(&[0x60, 0x01]);
        assert!(parameters[0].get("to").is_none());
        assert_eq!(parameters[0]["data"], "0x6001");
        assert_eq!(parameters[0]["from"].as_str().map(str::len), Some(42));
        assert_ne!(parameters[0]["from"], call(&[])[0]["from"]);
    }
}
