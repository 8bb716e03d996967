//! `/docs/…`: the documentation as pages, and its search. Programs get the same texts as text.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use crochet::app::App;
use crochet::config::Config;
use crochet::http::Result;
use crochet::http::accept::prefers_html;
use crochet::http::codes::Code;
use maud::{Markup, html};

use super::docs_nav::{GROUPS, all_paths, group_of, text_of, text_path, title_of};
use super::docs_search::{self, Hit};
use super::layout::{Page as Frame, Section};
use super::{icon, prose};
use crate::error_page;
use crate::pages::PAGES;

/// The reply for a document that has a page, to a reader who asks for one.
pub(crate) fn page(config: &Config, path: &str, query: Option<&str>, headers: &HeaderMap) -> Option<Response> {
    if !prefers_html(headers) {
        return None;
    }
    if path == "/docs" {
        return Some(index(config, query, headers));
    }
    let page = PAGES.iter().find(|page| page.path == path && !path.ends_with(".txt"))?;
    let mut text = page.source.replace("{PUBLIC_URL}", &config.absolute(""));
    if path == "/docs/errors" {
        text.push_str(&error_page::list(&config.absolute("")));
    }
    Some(reply(config, path, page.title, &text, headers))
}

/// `GET /docs/seller-integration`: a page, or its text.
pub(crate) async fn get_seller_integration(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Result<Response> {
    let page = text_of(uri.path()).ok_or(Code::NotFound)?;
    let text = page.source.replace("{PUBLIC_URL}", &app.config.absolute(""));
    if prefers_html(&headers) {
        return Ok(reply(&app.config, uri.path(), title_of(uri.path()), &text, &headers));
    }
    Ok(crate::document::Document::new(crate::document::TEXT, text).markdown_too().reply_to(&headers))
}

/// `GET /docs/errors/{CODE}` for a reader who asks for a page.
pub(crate) fn error(config: &Config, code: Code, headers: &HeaderMap) -> Response {
    let text = error_page::page(code, config);
    reply(config, &format!("/docs/errors/{}", code.as_str()), code.as_str(), &text, headers)
}

fn reply(config: &Config, path: &str, title: &str, text: &str, headers: &HeaderMap) -> Response {
    let prose = prose::render(text, &config.absolute(""));
    let crumbs = group_of(path).unwrap_or("Errors");
    let markdown = text_path(path).strip_suffix(".txt").unwrap_or(path);
    let article = html! {
        p.crumbs { (crumbs) " / " (title) }
        h1 { (prose.title) }
        p.small { a href={ (markdown) ".md" } { "This page as Markdown" } " · " a href="/SKILL.md" { "Agent skill" } " · " a href="/llms.txt" { code { "llms.txt" } } " · " a href="/docs/api-reference" { "API reference" } }
        (contents(path, &prose.headings))
        (prose.body)
    };
    let description = text_of(path)
        .map_or_else(|| format!("What {title} means, and what to do."), |page| format!("{}: {}.", page.title, page.about));
    frame(config, path, title, &description, &article, &prose.headings, headers)
}

/// A page of the documentation around this article.
pub(crate) fn frame(
    config: &Config,
    path: &str,
    title: &str,
    description: &str,
    article: &Markup,
    headings: &[(String, String)],
    headers: &HeaderMap,
) -> Response {
    let section = if path == "/docs/agent-skill" { Section::Skill } else { Section::Docs };
    let body = html! {
        div.docs {
            nav.side aria-label="Documentation" {
                (find(""))
                @for (group, paths) in GROUPS { h2 { (group) } (links(paths, path)) }
            }
            article.prose { (article) }
            @if headings.len() > 1 { nav.side aria-label="On this page" {
                h2 { "On this page" }
                ul.list { @for (id, text) in headings { li { a href={ "#" (id) } { (text) } } } }
            } }
        }
    };
    Frame::new(title, path, body).described(description).section(section).negotiated().reply(config, headers)
}

/// The navigation for narrow screens.
pub(crate) fn contents(path: &str, headings: &[(String, String)]) -> Markup {
    html! {
        details.box {
            summary { "All pages, and what is on this one" }
            ul.list { @for page in all_paths() { (link(page, path)) } }
            @if headings.len() > 1 { hr; ul.list { @for (id, text) in headings { li { a href={ "#" (id) } { (text) } } } } }
        }
    }
}

fn links(paths: &[&str], current: &str) -> Markup {
    html! { ul.list { @for path in paths { (link(path, current)) } } }
}

fn link(path: &str, current: &str) -> Markup {
    html! { li { a href=(path) aria-current=[(path == current).then_some("page")] { (title_of(path)) } } }
}

fn find(query: &str) -> Markup {
    html! {
        form.find role="search" action="/docs" method="get" {
            div {
                label.hide for="q" { "Search the docs" }
                (icon::decorative("i-search"))
                input #q type="search" name="q" value=[(!query.is_empty()).then_some(query)] placeholder="Search" maxlength="200";
                kbd aria-hidden="true" { "/" }
            }
            button.hide type="submit" { "Search the docs" }
        }
    }
}

/// `/docs`: all pages, or what a search finds.
fn index(config: &Config, query: Option<&str>, headers: &HeaderMap) -> Response {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let asked = pairs.filter(|(name, _)| name == "q").last().map(|(_, value)| value.trim().to_owned()).unwrap_or_default();
    let asked: String = asked.chars().take(200).collect();
    let hits = (!asked.is_empty()).then(|| docs_search::search(&asked, config));
    let body = html! {
        div.docs {
            nav.side aria-label="Documentation" { @for (group, paths) in GROUPS { h2 { (group) } (links(paths, "/docs")) } }
            article.prose {
                h1 { "Docs" }
                p.lead { "How buying and selling on Crochet works, for programs and for people." }
                (find(&asked))
                @match &hits {
                    Some(hits) => { (results(&asked, hits)) }
                    None => { @for (group, paths) in GROUPS {
                        h2 { (group) }
                        ul.list.less { @for path in paths { li { a href=(path) { (title_of(path)) } span.soft { (about(path)) } } } }
                    } }
                }
                p.small { "Every page is served as Markdown, too: put " code { ".md" } " at the end of its path. For language models: " a href="/llms.txt" { code { "llms.txt" } } "." }
            }
        }
    };
    let frame = Frame::new("Docs", "/docs", body).described("Documentation of Crochet.").section(Section::Docs).negotiated();
    if asked.is_empty() { frame } else { frame.not_indexed() }.reply(config, headers)
}

fn about(path: &str) -> &'static str {
    match path {
        "/docs/api-reference" => "every route and every error code",
        path => text_of(path).map_or("", |page| page.about),
    }
}

fn results(asked: &str, hits: &[Hit]) -> Markup {
    html! {
        h2 { @if hits.is_empty() { "Nothing found for “" (asked) "”" } @else { (crate::format::counted(hits.len() as u64, "passage", "passages")) } }
        @if hits.is_empty() { p { "Every word must occur. Try fewer or other words, or the " a href="/docs/api-reference" { "API reference" } "." } }
        @for hit in hits {
            div {
                h3 { a href=(hit.url) { (hit.title) @if !hit.heading.is_empty() { ": " (hit.heading) } } }
                p.soft { (hit.excerpt) }
            }
        }
    }
}
