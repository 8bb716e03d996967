//! The JSON shapes of replies (`profile`, `wallet`, `listing` and so on), one file each.

pub mod api_key;
pub mod call;
pub mod endpoint;
pub mod listing;
pub mod money;
pub mod person;
pub mod profile;
pub mod schema;

use serde::Serialize;
use utoipa::ToSchema;

/// Paging of a list of known length.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Pagination {
    /// This page, from 1.
    pub page: u32,
    /// Maximum number of items on a page.
    pub limit: u32,
    /// Number of items in the whole list.
    pub total: usize,
    /// Number of pages of the whole list.
    pub total_pages: usize,
}

impl Pagination {
    /// Page `page` of a list of `total` items.
    #[must_use]
    pub fn of(page: u32, limit: u32, total: usize) -> Self {
        Self { page, limit, total, total_pages: total.div_ceil(limit.max(1) as usize) }
    }
}
