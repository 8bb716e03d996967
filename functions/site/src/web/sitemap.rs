//! `/sitemap.xml` and its parts: the pages, and every listing on offer.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use crochet::app::App;
use crochet::http::Result;
use crochet::http::caller::Anonymous;
use crochet::http::codes::Code;
use crochet::http::limited::ReadLimit;
use crochet_catalog::Catalogue;
use crochet_catalog::search::Search;

use super::{docs_nav, legal, operations};
use crate::document::Document;
use crate::pages::PAGES;
use crate::well_known;

const XML: &str = "application/xml";
/// Listings of a part. A part with the longest slugs stays far below a function's largest reply.
const PART: u32 = 5_000;

/// The index: one part for pages, and as many for listings as there are.
pub(crate) async fn get_index(
    State(app): State<App>,
    State(catalogue): State<Catalogue>,
    _: Anonymous<ReadLimit>,
    headers: HeaderMap,
) -> Result<Response> {
    catalogue.refresh().await?;
    let total = catalogue.category_counts().iter().sum::<usize>();
    let parts = (1..=total.div_ceil(PART as usize)).map(|number| format!("/sitemap/listings-{number}.xml"));
    let paths: Vec<String> = std::iter::once("/sitemap/pages.xml".to_owned()).chain(parts).collect();
    Ok(Document::new(XML, well_known::sitemap_index(&app.config.absolute(""), &paths)).reply_to(&headers))
}

/// A part.
pub(crate) async fn get_part(
    State(app): State<App>,
    State(catalogue): State<Catalogue>,
    _: Anonymous<ReadLimit>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let paths = match name.as_str() {
        "pages.xml" => pages(),
        listings => {
            let number = listings
                .strip_prefix("listings-")
                .and_then(|rest| rest.strip_suffix(".xml"))
                .and_then(|number| number.parse().ok());
            let page = number.filter(|number| *number >= 1).ok_or(Code::NotFound)?;
            catalogue.refresh().await?;
            let found = catalogue.search(&Search { page, limit: PART, ..Search::all() })?.listings;
            if found.is_empty() {
                return Err(Code::NotFound.into());
            }
            found.iter().map(|listing| format!("/listings/{}", listing.slug)).collect()
        }
    };
    Ok(Document::new(XML, well_known::sitemap(&app.config.absolute(""), &paths)).reply_to(&headers))
}

fn pages() -> Vec<String> {
    let fixed = ["/", "/marketplace", "/docs", "/llms.txt", "/SKILL.md"].into_iter();
    let texts = PAGES.iter().map(|page| page.path).chain(docs_nav::paths()).chain(legal::TEXTS.iter().map(|text| text.path));
    let errors = Code::ALL.iter().map(|code| format!("/docs/errors/{}", code.as_str()));
    let routes = operations::operations().map(|operation| operation.page());
    fixed.chain(texts).map(str::to_owned).chain(errors).chain(routes).collect()
}
