//! A seller that answers as it is told at the moment, under one URL: what the demo seller does depends on the path alone, and a
//! new path is a new endpoint.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use crochet_local::serve::{HangUp, serve};
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::failure::Failure;

/// What the seller does with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Answers with this status and a JSON body.
    Answers(u16),
    /// Answers 200 with this body.
    Says(&'static str),
    /// Closes the connection.
    HangsUp,
    /// Lets it wait until the mood is another one, and then follows that.
    Hesitates,
}

/// The seller. It stops when it is dropped.
pub struct MoodySeller {
    url: String,
    mood: watch::Sender<Mood>,
    called: Arc<AtomicUsize>,
    _stop: watch::Sender<bool>,
}

#[derive(Clone)]
struct Inner {
    mood: watch::Receiver<Mood>,
    called: Arc<AtomicUsize>,
}

impl MoodySeller {
    /// A seller in this mood.
    ///
    /// # Errors
    /// Where no port is free.
    pub async fn start(mood: Mood) -> Result<Self, Failure> {
        let (stop, stopped) = watch::channel(false);
        let (mood, follow) = watch::channel(mood);
        let called = Arc::new(AtomicUsize::new(0));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/moody", listener.local_addr()?);
        let inner = Inner { mood: follow, called: called.clone() };
        tokio::spawn(serve(listener, Router::new().fallback(answer).with_state(inner), stopped));
        Ok(Self { url, mood, called, _stop: stop })
    }

    /// Where it is called.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Changes its mood.
    pub fn turns(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// How many calls have reached it.
    #[must_use]
    pub fn called(&self) -> usize {
        self.called.load(Ordering::SeqCst)
    }
}

async fn answer(State(mut inner): State<Inner>) -> Response {
    inner.called.fetch_add(1, Ordering::SeqCst);
    let mood = inner.mood.wait_for(|mood| *mood != Mood::Hesitates).await.map_or(Mood::HangsUp, |mood| *mood);
    match mood {
        Mood::Answers(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
            (status, [("content-type", "application/json")], "{\"moody\":true}").into_response()
        }
        Mood::Says(body) => ([("content-type", "application/json")], body).into_response(),
        Mood::HangsUp | Mood::Hesitates => {
            let mut response = StatusCode::OK.into_response();
            response.extensions_mut().insert(HangUp);
            response
        }
    }
}
