//! A real EVM node (anvil) with contracts.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use crochet_client::Client;
use http::Method;
use serde_json::{Value, json};

use crate::contracts::deployment;
use crate::eventually::eventually;
use crate::failure::Failure;
use crate::programs::setting;

/// Runs "$@" until it ends, or until standard input does: that happens when this process ends, however it comes to its end.
const SUPERVISOR: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
{ cat <&3 >/dev/null; kill -TERM 0; } &
wait "$program"
"#;

/// A node with a chain of its own and the chain id of Base.
#[derive(Debug)]
pub struct EvmChain {
    url: String,
    http: Client,
    /// All transactions come from one account, so their nonces must be taken one at a time.
    sending: tokio::sync::Mutex<()>,
    /// The node stops when its standard input is closed.
    _supervisor: Child,
}

impl EvmChain {
    /// The shared node. `CROCHET_TEST_ANVIL` is the path of the program.
    ///
    /// If it is unset, the test prints that it did not run and passes. On CI, it fails.
    #[must_use]
    pub fn shared() -> Option<&'static Self> {
        static CHAIN: OnceLock<Option<EvmChain>> = OnceLock::new();
        CHAIN.get_or_init(Self::start).as_ref()
    }

    fn start() -> Option<Self> {
        let program = setting("CROCHET_TEST_ANVIL")?;
        let mut command = Command::new("sh");
        command.args(["-c", SUPERVISOR, "sh"]).arg(program).args(["--port", "0", "--chain-id", "8453", "--accounts", "1"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut supervisor = command.spawn().expect("a shell can be started");
        let output = BufReader::new(supervisor.stdout.take().expect("its output is piped"));
        let (tell, told) = std::sync::mpsc::channel();
        // Keeps reading, because a full pipe would block the node.
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("Listening on ") {
                    let _ = tell.send(format!("http://{}", address.trim()));
                }
            }
        });
        let url = told.recv_timeout(std::time::Duration::from_secs(30)).expect("anvil says where it listens");
        Some(Self { http: Client::new(&url), url, sending: tokio::sync::Mutex::default(), _supervisor: supervisor })
    }

    /// The URL of the node.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends a JSON-RPC request.
    ///
    /// # Errors
    /// If the node refuses; with what it said.
    pub async fn ask(&self, method: &str, params: Value) -> Result<Value, Failure> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let reply = self.http.request(Method::POST, &format!("{}/", self.url)).json(&body).send().await?;
        match reply.json.get("result") {
            Some(result) => Ok(result.clone()),
            None => Err(Failure::new(format!("{method}: {}", reply.text()))),
        }
    }

    /// Deploys a contract with this code. Returns its address in lower case.
    pub async fn deploy(&self, code: &[u8]) -> Result<String, Failure> {
        let data = format!("0x{}", hex::encode(deployment(code)));
        let receipt = self.send(json!({ "data": data })).await?;
        receipt["contractAddress"].as_str().map(str::to_owned).ok_or_else(|| Failure::new(format!("no contract: {receipt}")))
    }

    /// Sends a transaction from a funded account. Returns its receipt.
    ///
    /// # Errors
    /// If it does not succeed.
    pub async fn send(&self, mut transaction: Value) -> Result<Value, Failure> {
        let _turn = self.sending.lock().await;
        transaction["from"] = self.ask("eth_accounts", json!([])).await?[0].clone();
        // The estimate does not cover contracts that the transaction creates.
        transaction["gas"] = "0x4c4b40".into();
        let hash = self.ask("eth_sendTransaction", json!([transaction])).await?;
        let receipt = eventually("a receipt", async || {
            let receipt = self.ask("eth_getTransactionReceipt", json!([hash])).await?;
            Ok((!receipt.is_null()).then_some(receipt))
        });
        let receipt = receipt.await?;
        if receipt["status"] == "0x1" { Ok(receipt) } else { Err(Failure::new(format!("failed: {receipt}"))) }
    }

    /// Calls a contract and returns the bytes.
    pub async fn call(&self, to: &str, data: &[u8]) -> Result<Vec<u8>, Failure> {
        let data = format!("0x{}", hex::encode(data));
        let result = self.ask("eth_call", json!([{ "to": to, "data": data }, "latest"])).await?;
        Ok(hex::decode(result.as_str().unwrap_or_default().trim_start_matches("0x"))?)
    }

    /// Sets the code of an account, which no transaction could do.
    pub async fn set_code(&self, account: &str, code: &[u8]) -> Result<(), Failure> {
        self.ask("anvil_setCode", json!([account, format!("0x{}", hex::encode(code))])).await.map(drop)
    }

    /// The code of an account.
    pub async fn code(&self, account: &str) -> Result<Vec<u8>, Failure> {
        let code = self.ask("eth_getCode", json!([account, "latest"])).await?;
        Ok(hex::decode(code.as_str().unwrap_or_default().trim_start_matches("0x"))?)
    }
}
