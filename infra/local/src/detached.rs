//! Runs each request in a task of its own, so that it completes even if the client disconnects.
//!
//! hyper drops the future of a handler when its connection closes; Lambda does not. Without this, a call could be paid for and
//! never recorded, which cannot happen in a deployment.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use tower::{Layer, Service, ServiceExt};

/// The reply when a handler panics, in the API's envelope.
const PANICKED: &str =
    r#"{"success":false,"error":{"code":"INTERNAL_ERROR","message":"Something went wrong on our side; try again."}}"#;

/// Makes [`Detached`] services.
#[derive(Clone, Copy, Debug, Default)]
pub struct DetachedLayer;

impl<S> Layer<S> for DetachedLayer {
    type Service = Detached<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Detached(inner)
    }
}

/// A service whose work continues when the caller stops waiting.
#[derive(Clone, Debug)]
pub struct Detached<S>(pub S);

impl<S> Service<Request<Body>> for Detached<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Readiness is awaited inside the task.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let task = tokio::spawn(self.0.clone().oneshot(request));
        Box::pin(async move {
            match task.await {
                Ok(outcome) => outcome,
                Err(_) => Ok(panicked()),
            }
        })
    }
}

fn panicked() -> Response<Body> {
    let mut response = Response::new(Body::from(PANICKED));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;
    use axum::routing::get;
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn work_goes_on_when_the_client_is_gone() {
        let started = Arc::new(Semaphore::new(0));
        let go_on = Arc::new(Semaphore::new(0));
        let done = Arc::new(Semaphore::new(0));
        let (a, b, c) = (started.clone(), go_on.clone(), done.clone());
        let handler = move || async move {
            a.add_permits(1);
            let _permit = b.acquire().await;
            c.add_permits(1);
        };
        let mut service = Detached(Router::new().route("/", get(handler)));
        let request = Request::get("/").body(Body::empty()).expect("a request");
        let waiting = service.call(request);
        let _started = started.acquire().await.expect("the handler runs before anybody waits");
        drop(waiting);
        go_on.add_permits(1);
        let _done = done.acquire().await.expect("the handler came to its end");
    }

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        let handler = || async {
            if true {
                panic!("as a test");
            }
        };
        let service = Detached(Router::new().route("/", get(handler)));
        let request = Request::get("/").body(Body::empty()).expect("a request");
        let response = service.oneshot(request).await.expect("never fails");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
