//! Documents for machines and a welcome: text that is rendered once, at start. Nothing here touches storage or limits.

use std::sync::Arc;

use axum::extract::FromRef;
use axum::routing::get;
use crochet::app::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

mod document;
mod documents;
mod error_page;
mod index;
mod pages;
mod routes;
mod well_known;

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
    let described = described();
    let in_openapi = described.get_openapi().paths.paths.clone();
    let others = state.documents.paths().filter(|path| !in_openapi.contains_key(*path));
    others
        .fold(described, |router, path| router.route(path, get(routes::document)))
        .route("/docs/errors/{code}", get(routes::error_page))
        .route("/.well-known/security.txt", get(routes::security_txt))
        .with_state(state.clone())
}

/// The OpenAPI document of this group.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    described().into_openapi()
}

/// The routes that the OpenAPI document describes. Other documents are no part of the API. API Gateway leads every path that no
/// group has to this one.
fn described() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(routes::welcome))
        .routes(routes!(routes::index))
        .routes(routes!(routes::openapi))
        .routes(routes!(routes::openapi_without_version))
        .routes(routes!(routes::api_reference))
        .routes(routes!(routes::verify_signatures))
}
