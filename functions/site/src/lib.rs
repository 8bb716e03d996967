//! Documents for machines and a welcome: text that is rendered once, at start. Nothing here touches storage or limits.

use std::sync::Arc;

use axum::extract::FromRef;
use crochet::app::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

mod document;
mod documents;
mod index;
mod routes;

use documents::Documents;

/// What the handlers of this group have at hand.
#[derive(Clone, Debug, FromRef)]
pub struct State {
    /// Configuration, time and store.
    pub app: App,
    documents: Arc<Documents>,
}

impl State {
    /// Renders the documents for this deployment.
    #[must_use]
    pub fn new(app: App) -> Self {
        let documents = Arc::new(Documents::render(&app.config));
        Self { app, documents }
    }
}

/// The routes of this group.
pub fn router(state: State) -> OpenApiRouter {
    routes().with_state(state)
}

/// The OpenAPI document of this group.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(routes::welcome))
        .routes(routes!(routes::index))
        .routes(routes!(routes::openapi))
        .routes(routes!(routes::openapi_without_version))
        .routes(routes!(routes::api_reference))
        .routes(routes!(routes::verify_signatures))
}
