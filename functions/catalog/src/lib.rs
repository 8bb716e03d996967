//! Public reads: categories, and listings by search, id and slug.

mod catalogue;
mod category;
mod feed_cursor;
mod listing;
mod optional_agent;
pub mod search;
pub mod snapshot;
pub mod snapshot_writer;

use axum::extract::FromRef;
use crochet::app::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use catalogue::Catalogue;
pub use listing::filters::Filters;

/// What the handlers of this group have at hand.
#[derive(Clone, Debug, FromRef)]
pub struct State {
    /// Configuration, time and store.
    pub app: App,
    /// The listings on offer, ready to be searched.
    pub catalogue: Catalogue,
}

impl State {
    /// A state with an empty catalogue, which fills itself when it is first asked.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self::with(Catalogue::new(app.store.clone(), app.clock.clone()), app)
    }

    /// A state with this catalogue.
    #[must_use]
    pub fn with(catalogue: Catalogue, app: App) -> Self {
        Self { app, catalogue }
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
        .routes(routes!(category::list::list_categories))
        .routes(routes!(listing::browse::browse_listings))
        .routes(routes!(listing::read::get_listing))
        .routes(routes!(listing::openapi::get_listing_openapi))
}
