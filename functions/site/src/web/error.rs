//! The page of an error.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use crochet::app::ErrorSeen;
use maud::{Markup, PreEscaped, html};

use super::layout::{Page, cut};
use super::{icon, part};
use crate::foreign;

/// Renders an error for a reader who asks for a page.
#[must_use]
pub fn page(error: &ErrorSeen<'_>) -> Response {
    let path = readable(error.path);
    let body = match error.status {
        404 | 405 => nothing_here(&path, &html! {}, &words_of(&path), Some(error.request_id)),
        _ => html! {
            div.flow.narrow {
                h1 { (title(error.status)) }
                p.lead { (error.message) " " span.soft { (error.status) } }
                @if error.status >= 500 { p { "It is our fault, and the operator sees it. Try again in a minute, or look at " a href="/status" { "the status" } "." } }
                ul.list.less { (ways_on()) }
                (code(error))
            }
        },
    };
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Page::new(title(error.status), "", body).status(status).private().reply(error.config, &HeaderMap::new())
}

fn title(status: u16) -> &'static str {
    match status {
        404 | 405 => "Not found",
        429 => "Too many requests",
        400..500 => "This request cannot be answered",
        _ => "Something broke",
    }
}

fn code(error: &ErrorSeen<'_>) -> Markup {
    html! { p.small.soft { "Error " a href={ "/docs/errors/" (error.code) } { code { (error.code) } } ", request " code { (error.request_id) } } }
}

/// The content of a 404: what was asked for, what may have been meant, and a search for it.
pub(crate) fn nothing_here(path: &str, meant: &Markup, query: &str, request_id: Option<&str>) -> Markup {
    html! {
        div.flow.narrow {
            (PreEscaped(icon::DROPPED))
            h1 { "This stitch was dropped" }
            p.lead { "There is no page at " code { (cut(path, 120)) } ". " span.soft { "404" } }
            (meant)
            (part::search(query))
            ul.list.less { (ways_on()) }
            @if let Some(id) = request_id { p.small.soft { "If a link here led you to it, it is our fault. Request " code { (id) } } }
        }
    }
}

fn ways_on() -> Markup {
    html! {
        li { a href="/marketplace" { "Marketplace" } span.soft { "what is on offer" } }
        li { a href="/docs" { "Docs" } span.soft { "how buying and selling works" } }
        li { a href="/docs/errors" { "API errors" } span.soft { "each has a code and a page of its own" } }
    }
}

/// A path as people read it.
fn readable(path: &str) -> String {
    let decoded: Vec<u8> = decode(path.as_bytes());
    foreign::line(&String::from_utf8_lossy(&decoded))
}

fn decode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = bytes
            .get(at + 1..at + 3)
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escaped {
            Some(value) if byte == b'%' => {
                out.push(value);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// The words of the last part of a path, to search for.
pub(crate) fn words_of(path: &str) -> String {
    let last = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default();
    let words = last.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(6);
    cut(&words.collect::<Vec<_>>().join(" "), 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_as_text() {
        assert_eq!(readable("/a%20b%3Cscript%3E%E2%80%AE%00"), "/a b<script>");
        assert_eq!(readable("/%zz%"), "/%zz%");
        assert_eq!(words_of("/listings/reciept-reader"), "reciept reader");
        assert_eq!(words_of("/"), "");
    }
}
