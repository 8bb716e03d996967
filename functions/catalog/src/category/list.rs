//! `GET /categories`: the curated categories and the number of active listings in each.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use crochet::http::etag::conditional;
use crochet::http::{Reply, Result};
use crochet_domain::listing::CATEGORIES;
use serde::Serialize;
use utoipa::ToSchema;

use crate::catalogue::Catalogue;
use crate::optional_agent::OptionalAgent;

/// The categories.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Categories {
    /// All categories, in alphabetical order, with `other` last.
    categories: Vec<Category>,
}

/// A category.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Category {
    /// The value of a listing's `category` and of the `category` filter.
    slug: &'static str,
    /// Display name.
    name: &'static str,
    /// Number of active listings.
    count: usize,
}

crochet::error_list!(ListCategoriesErrors: OptionalAgent;);

/// List the categories with the number of active listings in each.
#[utoipa::path(get, path = "/api/v1/categories", operation_id = "list_categories", tag = "Catalog",
    responses((status = 200, body = Categories, description = "All categories, including empty ones.", headers(("ETag" = String, description = "The version of the reply. Send it in If-None-Match."))), (status = 304, description = "Not modified: If-None-Match names the current version.", headers(("ETag" = String, description = "The version of the reply."))), ListCategoriesErrors))]
pub(crate) async fn list_categories(
    State(catalogue): State<Catalogue>,
    caller: OptionalAgent,
    headers: HeaderMap,
) -> Result<Response> {
    caller.identify_while(async { Ok(catalogue.refresh().await?) }).await?;
    let counts = catalogue.category_counts();
    let categories = CATEGORIES.iter().zip(counts).map(|(&(slug, name), count)| Category { slug, name, count }).collect();
    let reply = Reply::ok(Categories { categories })?;
    Ok(conditional(&headers, reply))
}
