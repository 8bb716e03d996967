//! `GET /categories`: the curated categories and how much is on offer in each.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use crochet::http::etag::conditional;
use crochet::http::{Reply, Result};
use crochet_domain::listing::CATEGORIES;
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::Catalogue;
use crate::viewer::Viewer;

/// `data` of the categories.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Categories {
    /// All of them, in alphabetical order but for `other`.
    categories: Vec<Category>,
}

/// A category.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Category {
    /// What a listing's `category` and the filter `category` say.
    slug: &'static str,
    /// Its name.
    name: &'static str,
    /// Active listings in it.
    count: usize,
}

crochet::error_list!(ListCategoriesErrors: Viewer;);

/// List the categories with the number of active listings in each.
#[utoipa::path(get, path = "/api/v1/categories", operation_id = "list_categories", tag = "Catalog",
    responses((status = 200, body = Categories, description = "Every category, empty ones included."), ListCategoriesErrors))]
pub(crate) async fn list_categories(State(catalogue): State<Catalogue>, viewer: Viewer, headers: HeaderMap) -> Result<Response> {
    viewer.while_loading(async { Ok(catalogue.refresh().await?) }).await?;
    let counts = catalogue.counts();
    let categories = CATEGORIES.iter().zip(counts).map(|(&(slug, name), count)| Category { slug, name, count }).collect();
    let reply = Reply::ok(Categories { categories })?;
    Ok(conditional(&headers, reply))
}
