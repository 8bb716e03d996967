//! The frame of every page, and the headers that it is sent with.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use crochet::config::Config;
use crochet::http::etag::is_known;
use crochet_domain::ids::sha256_hex;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::icon;
use crate::assets;

/// Longest title of ours or name of others in a title, in characters.
const MAX_TITLE_CHARS: usize = 56;

/// What a page may load and do: its own stylesheet and scripts, requests and forms to this origin, and nothing else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// Headers of every page.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY)),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"),
    ),
];

/// Who may keep a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caching {
    /// Anybody, for a minute.
    Shared,
    /// Nobody: it shows what only one visitor may see, or what is true only now.
    Never,
}

/// The part of the site that the navigation marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Marketplace,
    Docs,
    Skill,
    Other,
}

/// A page. [`Page::reply`] renders it.
///
/// ```text
/// Page::new("Log in", "/login", html! { h1 { "Log in" } }).private().with_script("passkey.js").reply(&app.config, &headers)
/// ```
#[derive(Debug)]
pub(crate) struct Page<'a> {
    title: String,
    path: &'a str,
    body: Markup,
    description: Option<String>,
    section: Section,
    status: StatusCode,
    caching: Caching,
    scripts: Vec<&'static str>,
    robots: Option<&'static str>,
    og_type: &'static str,
    has_other_forms: bool,
    is_account: bool,
}

impl<'a> Page<'a> {
    /// A public page at this path (without a query), with this title of ours. `body` is the content of `main`, and has one `h1`.
    pub(crate) fn new(title: &str, path: &'a str, body: Markup) -> Self {
        Self {
            title: cut(title, MAX_TITLE_CHARS),
            path,
            body,
            description: None,
            section: Section::Other,
            status: StatusCode::OK,
            caching: Caching::Shared,
            scripts: Vec::new(),
            robots: None,
            og_type: "website",
            has_other_forms: false,
            is_account: false,
        }
    }

    /// With a description for search engines and previews. It is never a seller's text.
    pub(crate) fn described(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// In this part of the site.
    pub(crate) fn section(mut self, section: Section) -> Self {
        self.section = section;
        self
    }

    /// With this status.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Nobody but the visitor's browser may see it, and nobody may keep or index it.
    pub(crate) fn private(mut self) -> Self {
        self.caching = Caching::Never;
        self.robots = Some("noindex");
        self
    }

    /// A private page of a visitor who is logged in. Public pages are the same for everybody, and cannot say who is.
    pub(crate) fn account(mut self) -> Self {
        self.is_account = true;
        self.private()
    }

    /// Public, but never kept.
    pub(crate) fn never_cached(mut self) -> Self {
        self.caching = Caching::Never;
        self
    }

    /// Not for search engines.
    pub(crate) fn not_indexed(mut self) -> Self {
        self.robots = Some("noindex");
        self
    }

    /// With a further script, a file of `assets`.
    pub(crate) fn with_script(mut self, name: &'static str) -> Self {
        self.scripts.push(name);
        self
    }

    /// Other readers get another form of the same address: text, Markdown or JSON.
    pub(crate) fn negotiated(mut self) -> Self {
        self.has_other_forms = true;
        self
    }

    /// Open Graph's type.
    pub(crate) fn og_type(mut self, og_type: &'static str) -> Self {
        self.og_type = og_type;
        self
    }

    /// The reply to a request with these headers: the page, or 304 if `If-None-Match` names it.
    pub(crate) fn reply(self, config: &Config, request: &HeaderMap) -> Response {
        let body = self.render(config).into_string();
        let etag = format!("\"{}\"", &sha256_hex(&body)[..32]);
        let is_known = self.status == StatusCode::OK && self.caching == Caching::Shared && is_known(request, &etag);
        let mut response = Response::new(if is_known { Body::empty() } else { Body::from(body) });
        *response.status_mut() = if is_known { StatusCode::NOT_MODIFIED } else { self.status };
        let headers = response.headers_mut();
        if !is_known {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        }
        headers.extend(HEADERS);
        if config.public_url.scheme() == "https" {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        }
        if self.has_other_forms {
            headers.insert(header::VARY, HeaderValue::from_static("accept"));
        }
        match self.caching {
            Caching::Shared => {
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
                if let Ok(etag) = HeaderValue::from_str(&etag) {
                    headers.insert(header::ETAG, etag);
                }
            }
            Caching::Never => {
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
            }
        }
        response
    }

    fn render(&self, config: &Config) -> Markup {
        let canonical = config.absolute(self.path);
        let title = if self.path == "/" { self.title.clone() } else { format!("{} · Crochet", self.title) };
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    title { (title) }
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    @if let Some(description) = &self.description { meta name="description" content=(description); }
                    @if let Some(robots) = self.robots { meta name="robots" content=(robots); }
                    meta name="color-scheme" content="light dark";
                    meta name="theme-color" media="(prefers-color-scheme: light)" content="#fbfcfa";
                    meta name="theme-color" media="(prefers-color-scheme: dark)" content="#101310";
                    link rel="icon" type="image/svg+xml" href=(assets::url("favicon.svg"));
                    link rel="stylesheet" href=(assets::url("site.css"));
                    // A page is small: nothing is painted before all of it is there, so that nothing moves.
                    link rel="expect" href="#end" blocking="render";
                    script src=(assets::url("site.js")) defer {}
                    @for script in &self.scripts { script src=(assets::url(script)) defer {} }
                    @if self.status == StatusCode::OK && self.robots.is_none() {
                        link rel="canonical" href=(canonical);
                        meta property="og:site_name" content="Crochet";
                        meta property="og:title" content=(self.title);
                        @if let Some(description) = &self.description { meta property="og:description" content=(description); }
                        meta property="og:type" content=(self.og_type);
                        meta property="og:url" content=(canonical);
                    }
                }
                body {
                    (PreEscaped(icon::SPRITE.as_str()))
                    a.skip href="#main" { "Skip to content" }
                    (self.top())
                    main.wrap #main { (self.body) }
                    (foot())
                }
            }
        }
    }

    fn top(&self) -> Markup {
        let mark = |section: Section| (self.section == section).then_some("page");
        html! {
            header.top { div.wrap {
                a.logo href="/" aria-current=[(self.path == "/").then_some("page")] {
                    (icon::decorative("i-mark")) "Crochet"
                }
                nav aria-label="Main" {
                    a href="/marketplace" aria-current=[mark(Section::Marketplace)] { "Marketplace" }
                    a href="/docs" aria-current=[mark(Section::Docs)] { "Docs" }
                    a href="/docs/agent-skill" aria-current=[mark(Section::Skill)] { "Agent Skill" }
                }
                nav aria-label="Account" {
                    @if self.is_account {
                        a href="/account" aria-current=[(self.path == "/account").then_some("page")] { "Account" }
                        form method="post" action="/account/logout" { button.btn.quiet type="submit" { "Log out" } }
                    } @else {
                        a href="/login" aria-current=[(self.path == "/login").then_some("page")] { "Log in" }
                        a.btn href="/signup" { "Sign up" }
                    }
                }
            } }
        }
    }
}

fn foot() -> Markup {
    html! {
        footer.foot {
            (PreEscaped(icon::EDGING))
            div.wrap {
                p { "Crochet. Marketplace and gateway for discovery, trust, payments, and access." }
                nav aria-label="Footer" {
                    a href="/docs" { "Docs" }
                    a href="/docs/agent-skill" { "Agent Skill" }
                    a href="/marketplace" { "Marketplace" }
                    a href="/docs/api-reference" { "API Reference" }
                    a href="/status" { "Status" }
                    a href="/terms" { "Terms" }
                    a href="/privacy" { "Privacy" }
                }
            }
        }
        // After all that is painted.
        div #end hidden {}
    }
}

/// A text of at most this many characters; a longer one ends in an ellipsis.
pub(crate) fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => {
            let short: String = text.chars().take(max - 1).collect();
            format!("{}…", short.trim_end())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config::from_lookup(|_| None).expect("the defaults")
    }

    #[test]
    fn a_page_has_its_policy_and_may_be_kept_for_a_minute() {
        let page = || Page::new("Title", "/x", html! { h1 { "Title" } });
        let reply = page().reply(&config(), &HeaderMap::new());
        assert_eq!(reply.headers()[header::CACHE_CONTROL], "public, max-age=60");
        assert!(reply.headers()[header::CONTENT_SECURITY_POLICY].to_str().is_ok_and(|policy| !policy.contains("unsafe")));
        let mut known = HeaderMap::new();
        known.insert(header::IF_NONE_MATCH, reply.headers()[header::ETAG].clone());
        assert_eq!(page().reply(&config(), &known).status(), StatusCode::NOT_MODIFIED);
        let private = page().private().reply(&config(), &known);
        assert_eq!(
            (private.status(), &private.headers()[header::CACHE_CONTROL]),
            (StatusCode::OK, &HeaderValue::from_static("private, no-store"))
        );
        assert!(!private.headers().contains_key(header::ETAG));
    }

    #[test]
    fn long_titles_are_cut() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("a longer one", 9), "a longer…");
        assert_eq!(cut(&"ä".repeat(80), 56).chars().count(), 56);
    }
}
