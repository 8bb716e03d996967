//! The JSON shapes of replies, one file per noun: `profile`, `wallet`, `listing` and so on.

pub mod api_key;
pub mod call;
pub mod call_openapi;
pub mod endpoint;
pub mod listing;
pub mod money;
pub mod payment;
pub mod person;
pub mod profile;
pub mod refund;
pub mod review;
pub mod schema;
pub mod score;
pub mod step;
pub mod warning;

use serde::Serialize;
use utoipa::ToSchema;

/// Pagination of a list of known length.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Pagination {
    /// Page number, from 1.
    pub page: u32,
    /// Items per page.
    pub limit: u32,
    /// Items on all pages.
    pub total: usize,
    /// Number of pages.
    pub total_pages: usize,
}

impl Pagination {
    /// Page `page` of a list of `total` items.
    #[must_use]
    pub fn of(page: u32, limit: u32, total: usize) -> Self {
        Self { page, limit, total, total_pages: total.div_ceil(limit.max(1) as usize) }
    }
}
