//! A stack outside this process: functions under `cargo lambda watch` or `sam local`.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use crochet_client::Client;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::failure::Failure;

/// An environment variable that is set and not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// This machine's address for the stack: where sellers of tests listen.
pub(crate) fn own_address() -> IpAddr {
    let named = variable("CROCHET_TEST_OWN_ADDRESS").and_then(|address| address.parse().ok());
    named.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// Where a stack is that runs outside this process.
pub(crate) struct Outside {
    /// Site and API.
    pub(crate) base: String,
    /// Sandbox Relay.
    pub(crate) sandbox: String,
    /// Demo seller.
    pub(crate) seller: String,
    /// DynamoDB, if it is reachable.
    pub(crate) dynamodb: Option<String>,
    /// The table in it.
    pub(crate) table: String,
}

/// What became of a test.
pub(crate) enum Place {
    /// It ran on the stack outside.
    Outside,
    /// It needs a stack in this process.
    LeftOut,
}

/// Leaves a test out that starts stacks of its own, if the suite runs on a stack outside this process. Returns whether it did.
#[must_use]
pub fn leave_out() -> bool {
    let is_outside = Outside::from_env().is_some();
    if is_outside {
        Place::LeftOut.record();
    }
    is_outside
}

/// What the edge in front of the stack outside sends with a request: each caller has an address of its own. Nothing without an edge.
pub(crate) fn told_by_an_edge() -> HeaderMap {
    static CALLERS: AtomicU32 = AtomicU32::new(0);
    let Some(secret) = variable("CROCHET_TEST_EDGE_SECRET") else { return HeaderMap::new() };
    // Addresses for measurements (RFC 2544), which nobody has.
    let address = Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + CALLERS.fetch_add(1, Ordering::Relaxed) % 0x2_0000);
    let text = |text: String| HeaderValue::from_str(&text).ok();
    let headers = [("x-crochet-edge-secret", text(secret)), ("x-crochet-edge-address", text(address.to_string()))];
    headers.into_iter().filter_map(|(name, value)| Some((HeaderName::from_static(name), value?))).collect()
}

impl Outside {
    /// The stack that the environment names.
    pub(crate) fn from_env() -> Option<Self> {
        let base = variable("CROCHET_TEST_BASE_URL")?;
        let or = |name: &str, usual: &str| variable(name).unwrap_or_else(|| usual.to_owned());
        Some(Self {
            base,
            sandbox: or("CROCHET_TEST_SANDBOX_URL", "http://127.0.0.1:9001"),
            seller: or("CROCHET_TEST_SELLER_URL", "http://127.0.0.1:9002"),
            dynamodb: variable("CROCHET_TEST_DYNAMODB_URL"),
            table: or("CROCHET_TEST_TABLE", "crochet"),
        })
    }
}

/// A function that tests invoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// What buyers read.
    Catalog,
    /// Calls.
    Gateway,
    /// Wallets, people and keys.
    Identity,
    /// Pages and documents.
    Site,
    /// The scheduled sweep.
    GatewaySweeper,
}

impl Function {
    /// The name of its binary, which `cargo lambda watch` knows it by.
    fn binary(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Gateway => "gateway",
            Self::Identity => "identity",
            Self::Site => "site",
            Self::GatewaySweeper => "sweeper",
        }
    }
}

/// Invokes a function of the stack outside with an event, through Lambda's API or through a program that takes the function's name in
/// the template and reads the event from its standard input. `None` without a stack that can be invoked.
///
/// # Errors
/// If it cannot be invoked, or fails.
pub(crate) async fn invoke(function: Function, event: &Value) -> Result<Option<Value>, Failure> {
    if let Some(base) = variable("CROCHET_TEST_INVOKE_URL") {
        let path = format!("/2015-03-31/functions/{}/invocations", function.binary());
        let reply = Client::new(&base).site(Method::POST, &path).json(event).send().await?;
        return match reply.status {
            200 if !is_error(&reply.json) => Ok(Some(reply.json)),
            _ => Err(Failure::new(format!("{function:?} failed: {}", reply.text()))),
        };
    }
    let Some(program) = variable("CROCHET_TEST_INVOKE_PROGRAM") else { return Ok(None) };
    let mut child = tokio::process::Command::new(program)
        .arg(format!("{function:?}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(event.to_string().as_bytes()).await?;
    }
    let output = child.wait_with_output().await?;
    let told = String::from_utf8_lossy(&output.stdout);
    // What a function returns is the last line.
    let returned = told.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("null");
    match serde_json::from_str(returned) {
        Ok(returned) if output.status.success() && !is_error(&returned) => Ok(Some(returned)),
        _ => Err(Failure::new(format!("{function:?} failed: {told}{}", String::from_utf8_lossy(&output.stderr)))),
    }
}

/// Whether a function returned an error in place of a response. `sam local invoke` succeeds with both.
fn is_error(returned: &Value) -> bool {
    returned.get("errorMessage").is_some()
}

impl Place {
    /// Adds a line with the test's name to the file that `CROCHET_TEST_PLACES` names.
    pub(crate) fn record(&self) {
        let Some(path) = variable("CROCHET_TEST_PLACES") else { return };
        let place = match self {
            Self::Outside => "outside",
            Self::LeftOut => "left out",
        };
        let thread = std::thread::current();
        let line = format!("{place} {}\n", thread.name().unwrap_or("a test without a name"));
        let written = OpenOptions::new().create(true).append(true).open(&path).and_then(|mut file| file.write_all(line.as_bytes()));
        if let Err(error) = written {
            eprintln!("{path}: {error}");
        }
    }
}
