//! Ends requests to the API as if the process that handles them had died.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;

use crate::serve::DropConnection;

/// Ends every request that a stack's API is handling: its work stops at the `await` where it is, and the client gets no reply.
/// Clones share it.
#[derive(Clone, Debug, Default)]
pub struct KillSwitch(Arc<watch::Sender<u64>>);

impl KillSwitch {
    /// Ends all requests that have begun. Later ones are not affected.
    pub fn kill(&self) {
        self.0.send_modify(|kills| *kills = kills.wrapping_add(1));
    }

    /// Handles a request until it is done or killed.
    pub(crate) async fn guard(self, request: Request, next: Next) -> Response {
        let mut kills = self.0.subscribe();
        tokio::select! {
            response = next.run(request) => response,
            _ = kills.changed() => {
                let mut response = StatusCode::OK.into_response();
                response.extensions_mut().insert(DropConnection);
                response
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_killed_request_stops_where_it_is_and_later_ones_run() {
        let switch = KillSwitch::default();
        let (inside, by_layer) = (switch.clone(), switch.clone());
        let dies = move || async move {
            inside.kill();
            std::future::pending::<()>().await;
        };
        let router = Router::new().route("/dies", get(dies)).route("/lives", get(|| async { "alive" }));
        let router = router.layer(from_fn(move |request, next| by_layer.clone().guard(request, next)));
        let ask = |path: &str| router.clone().oneshot(Request::get(path).body(Body::empty()).expect("a request"));
        let died = ask("/dies").await.expect("never fails");
        assert!(died.extensions().get::<DropConnection>().is_some());
        let lived = ask("/lives").await.expect("never fails");
        assert!(lived.extensions().get::<DropConnection>().is_none() && lived.status() == StatusCode::OK);
    }
}
