//! Pages of a history: filters, cursors and how far a page reads.

use crochet::http::{ApiError, Result};
use serde::Serialize;
use utoipa::ToSchema;

/// Members of a page unless the caller says otherwise, and at most.
pub(crate) const LIMIT: (u32, u32) = (20, 100);
/// A page reads so many stretches of history at most: with a filter that little passes, it may be short but not last.
const STRETCHES: usize = 10;

/// How a history goes on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Paging {
    /// Send it as `cursor` to get the next page; `null` on the last.
    pub(crate) next_cursor: Option<String>,
    /// Whether there is a next page.
    pub(crate) has_more: bool,
}

/// One page: its members, and the position after which the next one begins.
pub(crate) struct Page<T> {
    pub(crate) members: Vec<T>,
    pub(crate) next: Option<String>,
}

/// Reads a page of `limit` members that pass `keep`. `read` gives up to so many members older than a position; `id` is a
/// member's position.
pub(crate) async fn page<T, R>(
    limit: usize,
    mut before: Option<String>,
    read: impl Fn(Option<String>, usize) -> R,
    id: impl Fn(&T) -> String,
    keep: impl Fn(&T) -> bool,
) -> Result<Page<T>>
where
    R: Future<Output = Result<Vec<T>>>,
{
    let mut members: Vec<T> = Vec::new();
    for _ in 0..STRETCHES {
        let stretch = read(before.clone(), limit + 1).await?;
        let full = stretch.len() > limit;
        for member in stretch {
            if members.len() == limit {
                return Ok(Page { next: before, members });
            }
            before = Some(id(&member));
            if keep(&member) {
                members.push(member);
            }
        }
        if !full {
            return Ok(Page { members, next: None });
        }
    }
    Ok(Page { members, next: before })
}

/// Refuses a filter that is not one of these.
pub(crate) fn filter<T>(field: &str, text: Option<&str>, parse: impl Fn(&str) -> Option<T>, allowed: &str) -> Result<Option<T>> {
    match text {
        None => Ok(None),
        Some(text) => parse(text).map(Some).ok_or_else(|| ApiError::field(field, &format!("must be one of {allowed}"))),
    }
}
