//! Runs a group of routes as a Lambda function.

use lambda_http::Adapter;
use utoipa_axum::router::OpenApiRouter;

use super::escaped::Escaped;
use super::service::envelope;
use crate::app::{self, App};
use crate::config::Config;

/// What ends a function: it could not start, or the runtime failed.
pub type Error = lambda_http::Error;

/// Serves the routes that `router` makes for the app that `connect` makes. The process exits if the configuration is not valid.
///
/// # Errors
/// Those of `router`, or of the runtime.
pub async fn serve(
    connect: impl AsyncFnOnce(Config) -> App,
    router: impl AsyncFnOnce(App) -> Result<OpenApiRouter, Error>,
) -> Result<(), Error> {
    let app = connect(app::start()).await;
    let (routes, _) = router(app.clone()).await?.split_for_parts();
    lambda_http::lambda_runtime::run(Escaped(Adapter::from(envelope(routes, app)))).await
}
