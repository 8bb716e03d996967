//! Pages for people, and documents for machines. Documents are rendered once, at start. Pages read what the API shows to everybody.

use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

mod account;
mod assets;
pub mod canary;
mod document;
mod documents;
mod error_page;
mod foreign;
mod format;
mod index;
mod pages;
mod routes;
mod state;
mod web;
mod well_known;

pub use state::State;
pub use web::error::page as page_of_error;

/// The routes of this group.
pub fn router(state: State) -> OpenApiRouter {
    let described = described();
    let in_openapi = described.get_openapi().paths.paths.clone();
    let others = state.documents.paths().filter(|path| !in_openapi.contains_key(*path));
    others
        .fold(described, |router, path| router.route(path, get(routes::document)))
        .route("/docs/errors/{code}", get(routes::error_page))
        .route("/.well-known/security.txt", get(routes::security_txt))
        .merge(pages())
        .with_state(state.clone())
}

/// The pages for people, and the files that they load.
fn pages() -> OpenApiRouter<State> {
    let legal = web::legal::TEXTS.iter();
    legal
        .fold(OpenApiRouter::new(), |router, text| router.route(text.path, get(web::legal::get_legal)))
        .route(assets::ROUTE, get(assets::get_asset))
        .route("/docs/api-reference", get(web::api_reference::get_reference))
        .route("/docs/api-reference/{operation}", get(web::api_reference::get_operation))
        .route("/docs/seller-integration", get(web::docs::get_seller_integration))
        .route("/sitemap.xml", get(web::sitemap::get_index))
        .route("/sitemap/{part}", get(web::sitemap::get_part))
        .route("/marketplace", get(web::marketplace::get_marketplace))
        .route("/listings/{slug}", get(web::listing::get_listing))
        .route("/agents/{id}", get(web::agent::get_agent))
        .route("/status", get(web::status::get_status))
        .merge(account::routes())
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
