//! Pages of a history: filters, cursors, and how much a page reads.

use crochet::http::{ApiError, Result};
use crochet_domain::timestamp::unix_ms;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

/// Default and maximum number of items per page.
pub(crate) const LIMIT: (u32, u32) = (20, 100);
/// Maximum number of stretches of history that one page reads. With a filter that passes little, a page may be short without being
/// the last one.
const STRETCHES: usize = 10;
/// Length of a stretch that is read for a filter, in items.
const FILTERED_STRETCH: usize = 200;

/// Where the next page is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Paging {
    /// Send this as `cursor` to get the next page; null on the last page.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
    /// Whether there is a next page.
    pub(crate) has_more: bool,
}

/// One page: its items, and the position after which the next page begins.
pub(crate) struct Page<T> {
    pub(crate) members: Vec<T>,
    pub(crate) next: Option<String>,
}

/// Reads a page of `limit` items that pass `keep`, if there is a filter. `read` returns up to a number of items older than a
/// position; `id` is an item's position.
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
                    // There is at least one more item: the next page begins after the last item of this page.
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

/// Refuses a filter that cannot be parsed. `wanted` continues the message after "must be".
pub(crate) fn filter<T>(field: &str, text: Option<&str>, parse: impl Fn(&str) -> Option<T>, wanted: &str) -> Result<Option<T>> {
    match text {
        None => Ok(None),
        Some(text) => parse(text).map(Some).ok_or_else(|| ApiError::field(field, &format!("must be {wanted}"))),
    }
}

/// Parses a time (RFC 3339) into Unix milliseconds. A form decodes `+` as a space, so an offset that was not escaped is explained.
pub(crate) fn moment(field: &str, text: Option<&str>) -> Result<Option<i64>> {
    let parse = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok().map(unix_ms);
    if let Some((time, offset)) = text.and_then(|text| text.rsplit_once(' '))
        && parse(&format!("{time}+{offset}")).is_some()
    {
        let problem = "has a space where its offset begins: write + as %2B in a query, or send the time in UTC, which ends in Z";
        return Err(ApiError::field(field, problem));
    }
    filter(field, text, parse, "a time like 2026-01-31T00:00:00Z")
}
