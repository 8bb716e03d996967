//! A small HTTP server: one task per request, a bounded shutdown, and a way to close a connection without a response.

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

use crate::detached::Detached;
use crate::raw_target::EscapedTargets;

/// Time for open connections to finish when the server stops.
const GRACE: Duration = Duration::from_secs(2);

/// A handler puts this into its response's extensions to close the connection instead of responding.
#[derive(Clone, Copy, Debug)]
pub struct DropConnection;

/// Serves `router` on `listener` until `stop` is true. Open requests then have two seconds to finish.
pub async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped(&mut stop) => break,
        };
        // Removes finished connections, so that the set does not grow.
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => {
                connections.spawn(connection(stream, SourceIp(peer.ip()), router.clone(), stop.clone()));
            }
            // Most likely out of file handles: wait for connections to close.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    // Dropping the set aborts what has not finished in time, for example an endless response.
    let _ = tokio::time::timeout(GRACE, all).await;
}

/// Resolves when the server is told to stop, or when the sender is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn connection(stream: TcpStream, peer: SourceIp, router: Router, mut stop: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: Request<Incoming>| {
        // API Gateway provides it in a deployment.
        request.extensions_mut().insert(peer);
        answer(router.clone(), request)
    });
    let mut connection = std::pin::pin!(http1::Builder::new().serve_connection(TokioIo::new(EscapedTargets::new(stream)), service));
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
    let response = match Detached(router).oneshot(request.map(Body::new)).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if response.extensions().get::<DropConnection>().is_some() {
        return Err(io::Error::other("hung up on purpose"));
    }
    Ok(response)
}
