//! `/terms` and `/privacy`: what the operator has written in `docs/operator/`, or the default that says that it is one.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use crochet::app::App;
use crochet::http::accept::prefers_html;
use maud::html;

use super::layout::Page;
use super::prose;
use crate::document::{Document, TEXT};

/// A text of the operator.
#[derive(Debug)]
pub(crate) struct Legal {
    pub(crate) path: &'static str,
    title: &'static str,
    source: &'static str,
}

pub(crate) const TEXTS: [Legal; 2] = [
    Legal { path: "/terms", title: "Terms", source: include_str!("../../../../docs/operator/terms.md") },
    Legal { path: "/privacy", title: "Privacy", source: include_str!("../../../../docs/operator/privacy.md") },
];

/// Each text as a page, or as it was written.
pub(crate) async fn get_legal(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Response {
    let text = TEXTS.iter().find(|text| text.path == uri.path()).unwrap_or(&TEXTS[0]);
    let public_url = app.config.absolute("");
    let source = text.source.replace("{PUBLIC_URL}", &public_url);
    if !prefers_html(&headers) {
        return Document::new(TEXT, source).markdown_too().reply_to(&headers);
    }
    let prose = prose::render(&source, &public_url);
    let body = html! { article.prose.narrow { h1 { (prose.title) } (prose.body) } };
    Page::new(text.title, text.path, body)
        .described(format!("{} of this deployment of Crochet, as its operator wrote them.", text.title))
        .negotiated()
        .reply(&app.config, &headers)
}
