//! A node of the EVM chain that messages to sign name, asked over JSON-RPC. Its URL may hold the operator's key and is never told.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use crate::outbound::operator_client;
use crate::store::meter::trip;
use crochet_domain::challenge::EVM_CHAIN_ID;
use crochet_domain::ids::random_bytes;

/// For both requests of the first question, and the only one of every later question.
const BUDGET: Duration = Duration::from_secs(3);
/// Longer replies are not read: an answer has less than a kilobyte.
const MAX_REPLY_BYTES: usize = 16 * 1024;
/// What a question may use. Below what chains let one transaction use (EIP-7825: 16,777,216).
const GAS: u64 = 12_000_000;

/// Where a node answers. It does not print: providers put keys into URLs.
#[derive(Clone, PartialEq, Eq)]
pub struct EvmRpcUrl(Url);

impl EvmRpcUrl {
    /// The node at this URL.
    #[must_use]
    pub fn new(url: Url) -> Self {
        Self(url)
    }
}

impl fmt::Debug for EvmRpcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EvmRpcUrl(…)")
    }
}

/// Why a node gave no answer. Its `Display` is for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeFault {
    /// It could not be reached, was too slow, or refused.
    Unavailable(&'static str),
    /// It serves another chain than [`EVM_CHAIN_ID`]: the operator set the wrong URL.
    OtherChain(u64),
}

impl fmt::Display for NodeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => f.write_str(why),
            Self::OtherChain(found) => {
                write!(f, "CROCHET_EVM_RPC_URL leads to chain {found}, and messages to sign name chain {EVM_CHAIN_ID}")
            }
        }
    }
}

impl std::error::Error for NodeFault {}

/// The node. Cloning is cheap; clones know together whether it serves the right chain.
#[derive(Clone)]
pub struct EvmNode {
    http: reqwest::Client,
    url: Url,
    right_chain: Arc<AtomicBool>,
}

impl fmt::Debug for EvmNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvmNode").finish_non_exhaustive()
    }
}

impl EvmNode {
    /// The node at `url`.
    #[must_use]
    pub fn new(url: &EvmRpcUrl) -> Self {
        Self { http: operator_client(), url: url.0.clone(), right_chain: Arc::default() }
    }

    /// Runs a program on the chain's newest state, without leaving anything there, and gives the bytes that it returns.
    ///
    /// The first answer of a process counts only if the node says beside it that it serves the right chain.
    ///
    /// # Errors
    /// [`NodeFault`], after three seconds at most.
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
        // An error of the client shows the URL: only its kind is told.
        let class =
            |error: reqwest::Error| NodeFault::Unavailable(if error.is_timeout() { "no answer in time" } else { "no connection" });
        let mut reply = self.http.post(self.url.clone()).json(&request).send().await.map_err(class)?;
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

/// The parameters of `eth_call` for a program. It comes from a random account: some contracts take the zero address, which nodes
/// send from by default, for the sign that nothing is at stake.
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
        let url = EvmRpcUrl::new(Url::parse("https://node.example/v2/hush-key").expect("a URL"));
        let node = EvmNode::new(&url);
        assert!(!format!("{url:?} {node:?}").contains("hush"));
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
