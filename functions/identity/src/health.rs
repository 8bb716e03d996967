//! `GET /health`: whether the API answers. Neither storage nor limits are touched.

use axum::extract::State;
use crochet::app::App;
use crochet::http::{Reply, Result};
use crochet_domain::timestamp::rfc3339;
use serde::Serialize;
use utoipa::ToSchema;

/// That the API answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`.
    status: &'static str,
    /// The version that answers.
    version: &'static str,
    /// Its clock.
    #[schema(format = DateTime)]
    time: String,
}

crochet::error_list!(HealthErrors: ;);

/// Tell whether the API answers.
#[utoipa::path(get, path = "/api/v1/health", operation_id = "health", tag = "Identity",
    responses((status = 200, description = "It does.", body = Health), HealthErrors))]
pub(crate) async fn health(State(app): State<App>) -> Result {
    Reply::ok(Health { status: "ok", version: env!("CARGO_PKG_VERSION"), time: rfc3339(app.clock.now()) })
}
