//! The pages of the documentation, in groups, and the texts behind them.

use crate::pages::{PAGES, Page};

/// The groups of the navigation, with the slugs of their pages.
pub(crate) const GROUPS: [(&str, &[&str]); 4] = [
    ("Getting Started", &["/docs/overview", "/docs/quick-start"]),
    ("Core Concepts", &["/docs/how-it-works", "/docs/for-agents", "/docs/for-humans"]),
    (
        "Reference",
        &["/docs/api-reference", "/docs/payments", "/docs/trust-reviews", "/docs/seller-integration", "/docs/agent-skill"],
    ),
    (
        "In full",
        &[
            "/docs/paying",
            "/docs/errors",
            "/seller-onboarding",
            "/docs/verify-signatures",
            "/docs/secret-scanning",
            "/docs/score",
            "/docs/score/attacks",
        ],
    ),
];

/// Pages whose text has another name than the page.
const TEXTS_OF: [(&str, &str); 2] =
    [("/docs/api-reference", "/docs/api-reference.txt"), ("/docs/seller-integration", "/docs/seller-integration.txt")];

/// The path of the text behind a page.
pub(crate) fn text_path(path: &str) -> &str {
    TEXTS_OF.iter().find(|(page, _)| *page == path).map_or(path, |(_, text)| text)
}

/// The text behind a page.
pub(crate) fn text_of(path: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.path == text_path(path))
}

/// Paths of pages that show a text of another name: they are no documents themselves.
pub(crate) fn paths() -> impl Iterator<Item = &'static str> {
    TEXTS_OF.iter().map(|(page, _)| *page)
}

/// Every page of the navigation, in its order.
pub(crate) fn all_paths() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().flat_map(|(_, paths)| paths.iter().copied())
}

/// The title of a page of the navigation.
pub(crate) fn title_of(path: &str) -> &'static str {
    match path {
        "/docs/api-reference" => "API Reference",
        "/docs/seller-integration" => "Seller Integration",
        path => text_of(path).map_or("", |page| page.title),
    }
}

/// The group of a page.
pub(crate) fn group_of(path: &str) -> Option<&'static str> {
    GROUPS.iter().find(|(_, paths)| paths.contains(&path)).map(|(group, _)| *group)
}
