//! A small HTTP server: every request in a task of its own, a shutdown that ends, and a way to hang up without an answer.

use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use crochet::http::trace::SourceIp;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::spawned::Spawned;

/// How long open connections may take to finish when the server stops.
const GRACE: Duration = Duration::from_secs(2);

/// Put into a response's extensions by a handler that wants the connection closed instead of answered.
#[derive(Clone, Copy, Debug)]
pub struct HangUp;

/// Serves `router` on `listener` until `stop` turns true, then lets open requests finish for two seconds.
pub async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped(&mut stop) => break,
        };
        // Finished connections leave the set here, so that it does not grow for ever.
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => {
                connections.spawn(connection(stream, SourceIp(peer.ip()), router.clone(), stop.clone()));
            }
            // Out of file handles, most likely: give connections time to end rather than spin.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    // Whoever does not finish in time (an endless answer, say) is cut off when the set is dropped.
    let _ = tokio::time::timeout(GRACE, all).await;
}

/// Resolves when the server is told to stop, or when nobody is left who could tell it.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn connection(stream: TcpStream, peer: SourceIp, router: Router, mut stop: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: Request<Incoming>| {
        // API Gateway states it in a deployed system.
        request.extensions_mut().insert(peer);
        answer(router.clone(), request)
    });
    let mut connection = std::pin::pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        _ = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn answer(router: Router, request: Request<Incoming>) -> Result<Response<Body>, io::Error> {
    let response = match Spawned(router).oneshot(request.map(Body::new)).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if response.extensions().get::<HangUp>().is_some() {
        return Err(io::Error::other("hung up on purpose"));
    }
    Ok(response)
}
