//! A real EVM node (anvil) for tests, with contracts on it.

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

/// A node of a chain of its own, with the chain id of Base.
#[derive(Debug)]
pub struct EvmChain {
    url: String,
    http: Client,
    /// All transactions come from one account, whose count the node reads before it takes the next one.
    sending: tokio::sync::Mutex<()>,
    /// Its standard input holds the node's life.
    _supervisor: Child,
}

impl EvmChain {
    /// The node that all tests share; `CROCHET_TEST_ANVIL` names the program.
    ///
    /// Where it is unset, the test says that it was not run and passes; except on CI, where it fails.
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
        // Reads on after the line that matters: a full pipe would stop the node.
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

    /// Where the node answers.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A JSON-RPC request.
    ///
    /// # Errors
    /// Where the node refuses; with what it said.
    pub async fn ask(&self, method: &str, params: Value) -> Result<Value, Failure> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let reply = self.http.request(Method::POST, &format!("{}/", self.url)).json(&body).send().await?;
        match reply.json.get("result") {
            Some(result) => Ok(result.clone()),
            None => Err(Failure::new(format!("{method}: {}", reply.text()))),
        }
    }

    /// Puts a contract with this code onto the chain, and gives its address in lower case.
    ///
    /// # Errors
    /// Where the node refuses.
    pub async fn deploy(&self, code: &[u8]) -> Result<String, Failure> {
        let data = format!("0x{}", hex::encode(deployment(code)));
        let receipt = self.send(json!({ "data": data })).await?;
        receipt["contractAddress"].as_str().map(str::to_owned).ok_or_else(|| Failure::new(format!("no contract: {receipt}")))
    }

    /// Sends a transaction from the chain's rich account, and gives its receipt.
    ///
    /// # Errors
    /// Where it does not succeed.
    pub async fn send(&self, mut transaction: Value) -> Result<Value, Failure> {
        let _turn = self.sending.lock().await;
        transaction["from"] = self.ask("eth_accounts", json!([])).await?[0].clone();
        // An estimate is enough for a transaction to succeed, and too little for what it creates on the way.
        transaction["gas"] = "0x4c4b40".into();
        let hash = self.ask("eth_sendTransaction", json!([transaction])).await?;
        let receipt = eventually("a receipt", async || {
            let receipt = self.ask("eth_getTransactionReceipt", json!([hash])).await?;
            Ok((!receipt.is_null()).then_some(receipt))
        });
        let receipt = receipt.await?;
        if receipt["status"] == "0x1" { Ok(receipt) } else { Err(Failure::new(format!("failed: {receipt}"))) }
    }

    /// The bytes that a contract returns.
    ///
    /// # Errors
    /// Where it fails.
    pub async fn call(&self, to: &str, data: &[u8]) -> Result<Vec<u8>, Failure> {
        let data = format!("0x{}", hex::encode(data));
        let result = self.ask("eth_call", json!([{ "to": to, "data": data }, "latest"])).await?;
        Ok(hex::decode(result.as_str().unwrap_or_default().trim_start_matches("0x"))?)
    }

    /// Gives an account this code, as no transaction could.
    ///
    /// # Errors
    /// Where the node refuses.
    pub async fn set_code(&self, account: &str, code: &[u8]) -> Result<(), Failure> {
        self.ask("anvil_setCode", json!([account, format!("0x{}", hex::encode(code))])).await.map(drop)
    }

    /// The bytes of code at an account.
    ///
    /// # Errors
    /// Where the node refuses.
    pub async fn code(&self, account: &str) -> Result<Vec<u8>, Failure> {
        let code = self.ask("eth_getCode", json!([account, "latest"])).await?;
        Ok(hex::decode(code.as_str().unwrap_or_default().trim_start_matches("0x"))?)
    }
}
