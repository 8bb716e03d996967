//! A seller whose behavior can change under one URL. The demo seller's behavior depends on the path, and a new path is a new
//! endpoint.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use crochet_local::serve::{DropConnection, serve};
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::failure::Failure;
use crate::outside::own_address;

/// How the seller responds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behavior {
    /// Responds with this status and a JSON body.
    Status(u16),
    /// Responds 200 with this body.
    Body(&'static str),
    /// Closes the connection.
    DropsConnection,
    /// Waits until the behavior changes, then follows the new one.
    Waits,
    /// Does what the member `seller` of the body says: `hangs`, `drops` or `fails`. Without it, it responds 200. A call that hangs
    /// ends when the behavior changes.
    AsTheBodySays,
}

/// The seller. Dropping it stops it.
pub struct ScriptedSeller {
    url: String,
    behavior: watch::Sender<Behavior>,
    called: Arc<Mutex<HashSet<Attempt>>>,
    _stop: watch::Sender<bool>,
}

/// `webhook-id` and `x-crochet-attempt`.
type Attempt = [String; 2];

#[derive(Clone)]
struct Inner {
    behavior: watch::Receiver<Behavior>,
    called: Arc<Mutex<HashSet<Attempt>>>,
}

impl ScriptedSeller {
    /// Starts a seller with this behavior.
    pub async fn start(behavior: Behavior) -> Result<Self, Failure> {
        let (stop, stopped) = watch::channel(false);
        let (behavior, follow) = watch::channel(behavior);
        let called = Arc::default();
        let listener = TcpListener::bind((own_address(), 0)).await?;
        let url = format!("http://{}/scripted", listener.local_addr()?);
        let inner = Inner { behavior: follow, called: Arc::clone(&called) };
        tokio::spawn(serve(listener, Router::new().fallback(answer).with_state(inner), stopped));
        Ok(Self { url, behavior, called, _stop: stop })
    }

    /// The URL to call.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Changes its behavior.
    pub fn set(&self, behavior: Behavior) {
        self.behavior.send_replace(behavior);
    }

    /// The `webhook-id` of every call that it received.
    ///
    /// # Panics
    /// If a handler panicked.
    #[must_use]
    pub fn webhook_ids(&self) -> Vec<String> {
        self.called.lock().expect("no handler panicked").iter().map(|[id, _]| id.clone()).collect()
    }

    /// Number of received attempts. One that was repeated on a new connection counts once.
    ///
    /// # Panics
    /// If a handler panicked.
    #[must_use]
    pub fn called(&self) -> usize {
        self.called.lock().expect("no handler panicked").len()
    }
}

impl Behavior {
    /// What this behavior means for a body.
    fn with_body(self, body: &[u8]) -> Self {
        if self != Self::AsTheBodySays {
            return self;
        }
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        match body["seller"].as_str() {
            Some("hangs") => Self::Waits,
            Some("drops") => Self::DropsConnection,
            Some("fails") => Self::Status(500),
            _ => Self::Status(200),
        }
    }
}

async fn answer(State(mut inner): State<Inner>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    inner.called.lock().expect("no handler panicked").insert([header("webhook-id"), header("x-crochet-attempt")]);
    let behavior = inner
        .behavior
        .wait_for(|behavior| behavior.with_body(&body) != Behavior::Waits)
        .await
        .map_or(Behavior::DropsConnection, |behavior| behavior.with_body(&body));
    match behavior {
        Behavior::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
            (status, [("content-type", "application/json")], "{\"scripted\":true}").into_response()
        }
        Behavior::Body(body) => ([("content-type", "application/json")], body).into_response(),
        Behavior::DropsConnection | Behavior::Waits | Behavior::AsTheBodySays => {
            let mut response = StatusCode::OK.into_response();
            response.extensions_mut().insert(DropConnection);
            response
        }
    }
}
