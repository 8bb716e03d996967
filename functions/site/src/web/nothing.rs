//! A search that found nothing: which filter is to blame, and what is near.

use crochet::http::Result;
use crochet_catalog::Catalogue;
use crochet_catalog::search::Search;
use crochet_domain::listing::Listing;
use maud::{Markup, html};

use super::filters::words;
use super::query::{FILTERS, Query};
use super::rows::{Heading, rows};
use crate::format::counted;

/// Rows of what is near.
const NEAR: usize = 3;

/// The same search with one thing less.
struct Less {
    without: String,
    path: String,
    total: usize,
    first: Vec<Listing>,
}

/// What would be found with one thing less.
pub(crate) fn found(catalogue: &Catalogue, query: &Query) -> Result<Markup> {
    let mut less = Vec::new();
    for field in FILTERS.into_iter().filter(|field| !query.get(field).is_empty()) {
        let text: Vec<&str> = query.get(field).split_whitespace().collect();
        if field == "q" && text.len() > 1 {
            for (at, word) in text.iter().enumerate() {
                let rest: Vec<&str> = text.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, word)| *word).collect();
                let without = format!("without the word “{}”", crate::foreign::line(word));
                less.push(count(catalogue, without, &query.changed("q", &rest.join(" ")))?);
            }
        } else {
            less.push(count(catalogue, format!("without {}", words(query, field)), &query.changed(field, ""))?);
        }
    }
    if less.len() > 1 {
        less.push(count(catalogue, "without any of it".into(), &Query::default())?);
    }
    let near = less.iter().filter(|less| less.total > 0).min_by_key(|less| less.total);
    Ok(html! {
        h2 #results { @if less.len() > 1 { "No listing matches all of this" } @else { "No listing matches this" } }
        p { "What would be found with one thing less:" }
        ul.list.less { @for less in &less {
            li { a href=(less.path) { (less.without) } span.soft { @if less.total == 0 { "none" } @else { (counted(less.total as u64, "listing", "listings")) } } }
        } }
        p.soft { "Words are matched in names, tags, categories and descriptions, without accents and whatever their case." }
        div.note { strong { "Nobody sells it?" } p { "If you run it already, " a href="/#sell" { "list it in three steps" } "." } }
        @if let Some(near) = near {
            h3 { "Nearest to what you asked" }
            (rows(&near.first, Heading::Fourth))
        }
    })
}

fn count(catalogue: &Catalogue, without: String, query: &Query) -> Result<Less> {
    let search = Search { limit: u32::try_from(NEAR).unwrap_or(1), page: 1, ..query.search()? };
    let found = catalogue.search(&search)?;
    Ok(Less { without, path: query.path(), total: found.total, first: found.listings })
}
