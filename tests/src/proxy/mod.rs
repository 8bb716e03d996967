//! A proxy in front of DynamoDB, Secrets Manager, the payment provider or a seller that injects faults.

mod fault;

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use crochet_client::Client;
use crochet_local::KillSwitch;
use crochet_local::serve::{DropConnection, serve};
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use fault::Fault;
use fault::{Fate, Rule};

use crate::failure::Failure;
use crate::runtime::runtime;
use crate::setup::dynamodb_from_env;

/// State of the next transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Gate {
    /// It is forwarded.
    Open,
    /// It will be held.
    Closing,
    /// It is held, including its retries. This is its token.
    Closed(String),
}

/// Operations and bodies of requests, while they are recorded.
type Recording = Option<Vec<(String, Bytes)>>;

/// The proxy. Dropping it stops it.
pub struct Proxy {
    url: String,
    inner: Forwarder,
    _stop: watch::Sender<bool>,
}

#[derive(Clone)]
struct Forwarder {
    /// Set once the destination's address is known.
    target: Arc<OnceLock<String>>,
    client: Client,
    rule: Arc<Mutex<Rule>>,
    gate: watch::Sender<Gate>,
    /// Whether a request is held by [`Fault::Delay`].
    held: watch::Sender<bool>,
    /// The requests since [`Proxy::record`], by operation.
    recorded: Arc<Mutex<Recording>>,
    kill_switch: KillSwitch,
}

impl Proxy {
    /// Starts a proxy in front of the suite's DynamoDB, or of a new embedded one.
    pub fn start() -> Result<Self, Failure> {
        runtime().block_on(Self::start_here())
    }

    async fn start_here() -> Result<Self, Failure> {
        let proxy = Self::to_be_aimed(KillSwitch::default()).await?;
        let target = match dynamodb_from_env() {
            Some(endpoint) => endpoint,
            None => {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
                let target = format!("http://{}", listener.local_addr()?);
                let database = crochet_local::dynamodb::open(None).map_err(Failure::new)?;
                tokio::spawn(crochet_local::dynamodb::serve(listener, database, proxy._stop.subscribe()));
                target
            }
        };
        proxy.aim(&target);
        Ok(proxy)
    }

    /// Starts a proxy whose destination is not known yet. `kill_switch` ends the process that sends the requests.
    pub(crate) async fn to_be_aimed(kill_switch: KillSwitch) -> Result<Self, Failure> {
        let (stop, stopped) = watch::channel(false);
        let inner = Forwarder {
            target: Arc::default(),
            client: Client::new(""),
            rule: Arc::default(),
            gate: watch::Sender::new(Gate::Open),
            held: watch::Sender::new(false),
            recorded: Arc::default(),
            kill_switch,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(serve(listener, Router::new().fallback(forward).with_state(inner.clone()), stopped));
        Ok(Self { url, inner, _stop: stop })
    }

    /// Sets the destination. Only the first call counts.
    pub(crate) fn aim(&self, target: &str) {
        let _ = self.inner.target.set(target.trim_end_matches('/').to_owned());
    }

    /// The URL of the proxy.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Plans `fault` for the `k`-th request from now that it applies to.
    pub fn plan(&self, fault: Fault, k: usize) {
        *self.rule() = Rule { planned: Some((fault, k)), ..Rule::default() };
    }

    /// Makes every request unreachable whose text contains `text`, its retries included. [`Proxy::end`] ends it.
    pub fn lose(&self, text: &str) {
        *self.rule() = Rule { lost: Some(text.to_owned()), ..Rule::default() };
    }

    /// Holds the next transaction while later requests pass, so that its items can change before it reaches the database.
    /// The service times out after two seconds.
    pub fn hold_next_transaction(&self) {
        self.inner.gate.send_replace(Gate::Closing);
    }

    /// Waits until a transaction is held.
    ///
    /// # Errors
    /// If none arrives within ten seconds.
    pub async fn holds_a_transaction(&self) -> Result<(), Failure> {
        let mut gate = self.inner.gate.subscribe();
        let closed = gate.wait_for(|gate| matches!(gate, Gate::Closed(_)));
        match tokio::time::timeout(std::time::Duration::from_secs(10), closed).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Failure::new("no transaction arrived")),
        }
    }

    /// Forwards the held transaction.
    pub fn let_go(&self) {
        self.inner.gate.send_replace(Gate::Open);
    }

    /// Waits until [`Fault::Delay`] holds a request.
    pub async fn is_holding(&self) {
        // The sender lives in this proxy.
        let _ = self.inner.held.subscribe().wait_for(|held| *held).await;
    }

    /// Forwards the request that [`Fault::Delay`] holds.
    pub fn release(&self) {
        self.inner.held.send_replace(false);
    }

    /// Ends an outage. A planned fault stays planned.
    pub fn recover(&self) {
        self.rule().down = false;
    }

    /// Removes the planned fault. Returns whether it happened.
    #[must_use]
    pub fn end(&self) -> bool {
        std::mem::take(&mut *self.rule()).struck
    }

    /// Records requests from now on.
    pub fn record(&self) {
        *self.inner.recorded() = Some(Vec::new());
    }

    /// Ends the recording. Returns the requests, by operation.
    #[must_use]
    pub fn recorded(&self) -> Vec<(String, Value)> {
        let requests = self.inner.recorded().take().unwrap_or_default();
        requests.into_iter().map(|(operation, body)| (operation, serde_json::from_slice(&body).unwrap_or_default())).collect()
    }

    fn rule(&self) -> MutexGuard<'_, Rule> {
        self.inner.rule()
    }
}

async fn forward(State(forwarder): State<Forwarder>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    if operation == "TransactWriteItems" {
        forwarder.pass_the_gate(&body).await;
    }
    if let Some(recorded) = &mut *forwarder.recorded() {
        recorded.push((operation.clone(), body.clone()));
    }
    let fate = forwarder.rule().fate(&operation, &body);
    let send = forwarder.send(method, &uri, &headers, body.clone());
    match fate {
        Fate::Refuse => conflict(&operation, &body),
        Fate::Unreachable => hang_up(),
        Fate::Pass => send.await,
        Fate::LoseReply => {
            send.await;
            hang_up()
        }
        Fate::Hold => {
            forwarder.held.send_replace(true);
            let _ = forwarder.held.subscribe().wait_for(|held| !held).await;
            send.await
        }
        Fate::KillBefore => {
            forwarder.kill_switch.kill();
            hang_up()
        }
        Fate::KillAfter => {
            send.await;
            forwarder.kill_switch.kill();
            hang_up()
        }
    }
}

impl Forwarder {
    fn rule(&self) -> MutexGuard<'_, Rule> {
        self.rule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recorded(&self) -> MutexGuard<'_, Recording> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits if this transaction is held.
    async fn pass_the_gate(&self, body: &[u8]) {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        let waits = Gate::Closed(request["ClientRequestToken"].as_str().unwrap_or_default().to_owned());
        self.gate.send_if_modified(|gate| {
            let closes = *gate == Gate::Closing;
            if closes {
                gate.clone_from(&waits);
            }
            closes
        });
        let _ = self.gate.subscribe().wait_for(|gate| *gate != waits).await;
    }

    async fn send(&self, method: Method, uri: &Uri, headers: &HeaderMap, body: Bytes) -> Response {
        let Some(target) = self.target.get() else { return hang_up() };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = self.client.request(method, &format!("{target}{path}"));
        for (name, value) in headers {
            // Hop-by-hop headers are not forwarded.
            if !matches!(name.as_str(), "host" | "content-length" | "connection") {
                request = request.header(name.as_str(), value.to_str().unwrap_or_default());
            }
        }
        let Ok(reply) = request.raw_body(body).send().await else { return hang_up() };
        let mut response = Response::new(Body::from(reply.body));
        *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::BAD_GATEWAY);
        for name in ["content-type", "x-amz-crc32", "x-amzn-requestid"] {
            if let Some(value) = reply.headers.get(name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        response
    }
}

fn hang_up() -> Response {
    let mut response = StatusCode::OK.into_response();
    response.extensions_mut().insert(DropConnection);
    response
}

/// In DynamoDB's format: one reason per item of a transaction, or a separate error for a single write.
fn conflict(operation: &str, body: &[u8]) -> Response {
    let error = if operation == "TransactWriteItems" {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        let items = request["TransactItems"].as_array().map_or(1, Vec::len);
        let reason = |place: usize| {
            if place == 0 {
                json!({ "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item" })
            } else {
                json!({ "Code": "None" })
            }
        };
        let names: Vec<&str> = (0..items).map(|place| if place == 0 { "TransactionConflict" } else { "None" }).collect();
        json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", names.join(", ")),
            "CancellationReasons": (0..items).map(reason).collect::<Vec<_>>(),
        })
    } else {
        json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
            "message": "Transaction is ongoing for the item",
        })
    };
    (StatusCode::BAD_REQUEST, [("content-type", "application/x-amz-json-1.0")], error.to_string()).into_response()
}
