//! `GET /health`: whether the API is up. It touches neither storage nor limits.

use axum::extract::State;
use crochet::app::App;
use crochet::http::{Reply, Result};
use crochet_domain::timestamp::rfc3339;
use serde::Serialize;
use utoipa::ToSchema;

/// The status of the API.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    status: &'static str,
    /// The running version.
    version: &'static str,
    /// The server's current time.
    #[schema(format = DateTime)]
    time: String,
}

crochet::error_list!(HealthErrors: ;);

/// Check whether the API is up.
#[utoipa::path(get, path = "/api/v1/health", operation_id = "health", tag = "Identity",
    responses((status = 200, description = "The API is up.", body = Health), HealthErrors))]
pub(crate) async fn health(State(app): State<App>) -> Result {
    Reply::ok(Health { status: "ok", version: env!("CARGO_PKG_VERSION"), time: rfc3339(app.clock.now()) })
}
