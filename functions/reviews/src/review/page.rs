//! Pages of reviews.

use crochet::http::ApiError;
use crochet::http::request::int_param;
use serde::Deserialize;
use utoipa::IntoParams;

/// Maximum page number, and maximum reviews of a page.
const MAX_PAGE: u32 = 10_000;
const MAX_LIMIT: u32 = 100;
/// Default number of reviews of a page.
const DEFAULT_LIMIT: u32 = 20;

/// Which page of the reviews to return.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Page number, starting at 1 (the default).
    #[param(value_type = Option<u32>, minimum = 1, maximum = 10_000)]
    page: Option<String>,
    /// Reviews per page, 1 to 100 (default 20).
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
}

impl PageQuery {
    /// The page number, and the number of reviews of a page.
    ///
    /// # Errors
    /// `INVALID_REQUEST`, naming the first invalid parameter.
    pub(crate) fn parse(&self) -> Result<(u32, u32), ApiError> {
        page_of(self.page.as_deref(), self.limit.as_deref())
    }
}

/// As [`PageQuery::parse`].
///
/// # Errors
/// `INVALID_REQUEST`, naming the first invalid parameter.
pub(crate) fn page_of(page: Option<&str>, limit: Option<&str>) -> Result<(u32, u32), ApiError> {
    Ok((int_param("page", page, 1, MAX_PAGE, 1)?, int_param("limit", limit, 1, MAX_LIMIT, DEFAULT_LIMIT)?))
}
