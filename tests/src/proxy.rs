//! A proxy in front of DynamoDB that loses and refuses requests by rule, as no local engine does by itself.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use crochet_client::Client;
use crochet_local::serve::{DropConnection, serve};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::failure::Failure;
use crate::runtime::runtime;
use crate::world::dynamodb_from_env;

/// What goes wrong, at the k-th request that it can happen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A write is refused once, because another transaction is at one of its items.
    Conflict,
    /// A request is carried out, and its answer is lost once.
    LostReply,
    /// A request is carried out, its answer is lost, and from then on the database cannot be reached.
    CrashAfter,
    /// A request and all after it do not reach the database.
    CrashBefore,
}

impl Fault {
    fn can_happen_to(self, operation: &str) -> bool {
        let writes = ["TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem"];
        self != Self::Conflict || writes.contains(&operation)
    }
}

#[derive(Debug, Default)]
struct Rule {
    /// The fault, and at which request, counted from 1.
    planned: Option<(Fault, usize)>,
    seen: usize,
    struck: bool,
    down: bool,
}

/// What becomes of the next transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Gate {
    /// It passes.
    Open,
    /// It is to wait.
    Closing,
    /// It waits, however often it is sent: this is its token.
    Closed(String),
}

/// The proxy. It stops when it is dropped.
pub struct Proxy {
    url: String,
    rule: Arc<Mutex<Rule>>,
    gate: watch::Sender<Gate>,
    _stop: watch::Sender<bool>,
}

#[derive(Clone)]
struct Forwarder {
    target: String,
    client: Client,
    rule: Arc<Mutex<Rule>>,
    gate: watch::Sender<Gate>,
}

impl Proxy {
    /// A proxy in front of the suite's DynamoDB, or of an embedded one that it starts.
    ///
    /// # Errors
    /// Where no port is free.
    pub fn start() -> Result<Self, Failure> {
        runtime().block_on(Self::start_here())
    }

    async fn start_here() -> Result<Self, Failure> {
        let (stop, stopped) = watch::channel(false);
        let target = match dynamodb_from_env() {
            Some(endpoint) => endpoint,
            None => {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
                let target = format!("http://{}", listener.local_addr()?);
                let database = crochet_local::dynamodb::open(None).map_err(Failure::new)?;
                tokio::spawn(crochet_local::dynamodb::serve(listener, database, stopped.clone()));
                target
            }
        };
        let rule = Arc::new(Mutex::new(Rule::default()));
        let gate = watch::Sender::new(Gate::Open);
        let forwarder = Forwarder { client: Client::new(&target), target, rule: rule.clone(), gate: gate.clone() };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(serve(listener, Router::new().fallback(forward).with_state(forwarder), stopped));
        Ok(Self { url, rule, gate, _stop: stop })
    }

    /// Where it is reached.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lets `fault` happen at the `k`-th request from now on that it can happen to.
    pub fn plan(&self, fault: Fault, k: usize) {
        *self.rule() = Rule { planned: Some((fault, k)), ..Rule::default() };
    }

    /// Lets the next transaction wait at the door, while everything after it passes: what it was to be written over may change
    /// before it comes to the database. The service gives up on it after two seconds.
    pub fn hold_next_transaction(&self) {
        self.gate.send_replace(Gate::Closing);
    }

    /// Waits until a transaction waits.
    ///
    /// # Errors
    /// Where none came within ten seconds.
    pub async fn holds_a_transaction(&self) -> Result<(), Failure> {
        let mut gate = self.gate.subscribe();
        let closed = gate.wait_for(|gate| matches!(gate, Gate::Closed(_)));
        match tokio::time::timeout(std::time::Duration::from_secs(10), closed).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Failure::new("no transaction came")),
        }
    }

    /// Lets the transaction that waits go on.
    pub fn let_go(&self) {
        self.gate.send_replace(Gate::Open);
    }

    /// Ends an outage. A fault that has not happened yet stays planned.
    pub fn recover(&self) {
        self.rule().down = false;
    }

    /// Forgets the plan and tells whether the fault has happened.
    #[must_use]
    pub fn end(&self) -> bool {
        std::mem::take(&mut *self.rule()).struck
    }

    fn rule(&self) -> MutexGuard<'_, Rule> {
        self.rule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What becomes of one request.
enum Fate {
    Pass,
    Refuse,
    LoseReply,
    Unreachable,
}

impl Rule {
    fn fate(&mut self, operation: &str) -> Fate {
        if self.down {
            return Fate::Unreachable;
        }
        let Some((fault, k)) = self.planned.filter(|(fault, _)| fault.can_happen_to(operation)) else { return Fate::Pass };
        self.seen += 1;
        if self.seen != k {
            return Fate::Pass;
        }
        self.struck = true;
        self.down = matches!(fault, Fault::CrashAfter | Fault::CrashBefore);
        match fault {
            Fault::Conflict => Fate::Refuse,
            Fault::LostReply | Fault::CrashAfter => Fate::LoseReply,
            Fault::CrashBefore => Fate::Unreachable,
        }
    }
}

async fn forward(State(forwarder): State<Forwarder>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    if operation == "TransactWriteItems" {
        forwarder.pass_the_gate(&body).await;
    }
    let fate = forwarder.rule.lock().unwrap_or_else(PoisonError::into_inner).fate(&operation);
    match fate {
        Fate::Refuse => conflict(&operation, &body),
        Fate::Unreachable => hang_up(),
        Fate::Pass => forwarder.send(&headers, body).await,
        Fate::LoseReply => {
            forwarder.send(&headers, body).await;
            hang_up()
        }
    }
}

impl Forwarder {
    /// Waits where this transaction is the one that is to wait.
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

    async fn send(&self, headers: &HeaderMap, body: Bytes) -> Response {
        let mut request = self.client.request(Method::POST, &format!("{}/", self.target.trim_end_matches('/')));
        for (name, value) in headers {
            // The connection's own headers are this hop's.
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

/// As DynamoDB says it: with a reason for each item of a transaction, or as an error of its own for a single write.
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
