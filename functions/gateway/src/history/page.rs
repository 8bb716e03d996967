//! Pages of a history: filters, cursors and how far a page reads.

use crochet::http::{ApiError, Result};
use serde::Serialize;
use utoipa::ToSchema;

/// Members of a page unless the caller says otherwise, and at most.
pub(crate) const LIMIT: (u32, u32) = (20, 100);
/// A page reads so many stretches of history at most: where a filter passes next to nothing, it may be short but not last.
const STRETCHES: usize = 10;
/// A filter is looked for in stretches of this length.
const FILTERED_STRETCH: usize = 200;

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

/// Reads a page of `limit` members that pass `keep`, if there is a filter. `read` gives up to so many members older than a
/// position; `id` is a member's position.
pub(crate) async fn page<T, R>(
    limit: usize,
    mut before: Option<String>,
    read: impl Fn(Option<String>, usize) -> R,
    id: impl Fn(&T) -> String,
    keep: Option<impl Fn(&T) -> bool>,
) -> Result<Page<T>>
where
    R: Future<Output = Result<Vec<T>>>,
{
    let length = if keep.is_some() { FILTERED_STRETCH } else { limit + 1 };
    let mut members: Vec<T> = Vec::new();
    for _ in 0..STRETCHES {
        let stretch = read(before.clone(), length).await?;
        let is_last = stretch.len() < length;
        for member in stretch {
            before = Some(id(&member));
            if keep.as_ref().is_none_or(|keep| keep(&member)) {
                if members.len() == limit {
                    // There is one more: the next page begins after the last of this one.
                    return Ok(Page { next: members.last().map(&id), members });
                }
                members.push(member);
            }
        }
        if is_last {
            return Ok(Page { members, next: None });
        }
    }
    Ok(Page { members, next: before })
}

/// Refuses a filter that cannot be read; `wanted` reads on from "must be".
pub(crate) fn filter<T>(field: &str, text: Option<&str>, parse: impl Fn(&str) -> Option<T>, wanted: &str) -> Result<Option<T>> {
    match text {
        None => Ok(None),
        Some(text) => parse(text).map(Some).ok_or_else(|| ApiError::field(field, &format!("must be {wanted}"))),
    }
}
