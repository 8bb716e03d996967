//! `/marketplace`: search, filters and pages, as one form that needs no script.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use crochet::app::App;
use crochet::http::caller::Anonymous;
use crochet::http::limited::ReadLimit;
use crochet::http::{ApiError, Result};
use crochet_catalog::Catalogue;
use crochet_catalog::search::Page as Found;
use crochet_domain::timestamp::unix_ms;
use maud::{Markup, html};

use super::layout::{Page, Section};
use super::part;
use super::query::Query;
use super::rows::{Heading, rows};
use super::{filters, nothing};
use crate::format::{counted, minute};

/// Listings of a page.
pub(crate) const PAGE: usize = 20;

/// Shows what is on offer.
pub(crate) async fn get_marketplace(
    State(app): State<App>,
    State(catalogue): State<Catalogue>,
    _: Anonymous<ReadLimit>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let query = Query::of_form(query.as_deref().unwrap_or_default());
    catalogue.refresh().await?;
    let categories = catalogue.category_counts();
    let searched = query.search().and_then(|search| Ok((catalogue.search(&search)?, search)));
    let (status, results) = match &searched {
        Ok((found, search)) if found.total > 0 => {
            (StatusCode::OK, results(&query, found, search.page as usize, unix_ms(app.clock.now())))
        }
        Ok(_) if query.is_empty() => (StatusCode::OK, empty()),
        Ok(_) => (StatusCode::OK, nothing::found(&catalogue, &query)?),
        Err(error) if error.code().status() == StatusCode::BAD_REQUEST => (StatusCode::BAD_REQUEST, refused(error)),
        Err(error) => return Err(error.clone()),
    };
    let wrong = searched.as_ref().err().and_then(ApiError::named_field);
    let body = html! {
        div.head.flow {
            h1 { "Marketplace" }
            (part::search(query.get("q")))
            (filters::chips(&query))
        }
        div.shelf {
            (filters::form(&query, &categories, wrong))
            section.flow aria-labelledby="results" { (results) }
        }
    };
    let page = Page::new("Marketplace", "/marketplace", body)
        .described("Capabilities that agents sell per call: what each costs, how often it was delivered, and how fast it answers.")
        .section(Section::Marketplace)
        .status(status);
    // The pages of one search are not many pages for search engines.
    Ok(if query.is_empty() { page } else { page.not_indexed() }.reply(&app.config, &headers))
}

fn results(query: &Query, found: &Found, page: usize, now_ms: i64) -> Markup {
    let pages = found.total.div_ceil(PAGE);
    html! {
        div.bar {
            h2.small #results { (counted(found.total as u64, "listing", "listings")) }
            p.soft.small {
                (filters::order(query)) ". Names and descriptions are the sellers’ words. Figures: 30 days, as of " (minute(now_ms / 60_000 * 60_000))
            }
        }
        @if found.listings.is_empty() {
            p { "There are only " (counted(pages as u64, "page", "pages")) ". " a href=(query.with("page", "")) { "Go to the first" } "." }
        } @else {
            (rows(&found.listings, Heading::Third))
        }
        (pager(query, page, pages))
    }
}

fn pager(query: &Query, page: usize, pages: usize) -> Markup {
    let to = |number: usize| query.with("page", &if number > 1 { number.to_string() } else { String::new() });
    let near = page.saturating_sub(2).max(1)..=(page + 2).min(pages);
    html! { @if pages > 1 && page <= pages {
        nav.pager aria-label="Pages" {
            @if page > 1 { a href=(to(page - 1)) rel="prev" { "Previous" } }
            @if *near.start() > 1 { a href=(to(1)) { "1" } @if *near.start() > 2 { span aria-hidden="true" { "…" } } }
            @for number in near.clone() {
                @if number == page { a href=(to(number)) aria-current="page" { (number) } } @else { a href=(to(number)) { (number) } }
            }
            @if *near.end() < pages { @if near.end() + 1 < pages { span aria-hidden="true" { "…" } } a href=(to(pages)) { (crate::format::grouped(pages as u64)) } }
            @if page < pages { a href=(to(page + 1)) rel="next" { "Next" } }
        }
    } }
}

fn empty() -> Markup {
    html! {
        h2 #results { "Nothing is on offer yet" }
        div.note { strong { "Be the first" } p { "If you run something that others could use, " a href="/#sell" { "list it in three steps" } "." } }
    }
}

/// What is wrong with a filter, and what to do.
fn refused(error: &ApiError) -> Markup {
    html! {
        h2 #results { "This filter cannot be applied" }
        p.error { (error.told()) }
        p { "Nothing was searched. Correct it on the left, or " a href="/marketplace" { "start over" } "." }
    }
}
