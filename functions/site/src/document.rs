//! A document with its entity tag.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use crochet::http::etag::is_known;
use crochet_domain::ids::sha256_hex;

/// Five minutes: short enough for a deployment to show soon, long enough to spare repeated requests.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// The media types of texts.
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";
pub(crate) const MARKDOWN: &str = "text/markdown; charset=utf-8";

/// A rendered document.
#[derive(Debug)]
pub(crate) struct Document {
    content_type: HeaderValue,
    body: Bytes,
    etag: String,
    /// The `Link` header.
    link: Option<HeaderValue>,
    /// Whether a reader that asks for Markdown gets this text as Markdown.
    is_markdown_too: bool,
}

impl Document {
    /// A document whose entity tag is a hash of its body.
    pub(crate) fn new(content_type: &'static str, body: String) -> Self {
        let etag = format!("\"{}\"", &sha256_hex(&body)[..32]);
        Self { content_type: HeaderValue::from_static(content_type), body: body.into(), etag, link: None, is_markdown_too: false }
    }

    /// With this `Link` header.
    pub(crate) fn linking(mut self, link: &str) -> Self {
        self.link = HeaderValue::from_str(link).ok();
        self
    }

    /// A text that is written in Markdown: `Accept: text/markdown` gets it under that type.
    pub(crate) fn markdown_too(mut self) -> Self {
        self.is_markdown_too = true;
        self
    }

    #[cfg(test)]
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// The reply to a request with these headers: the document, or 304 if `If-None-Match` names it.
    pub(crate) fn reply_to(&self, request: &HeaderMap) -> Response {
        let mut response = if is_known(request, &self.etag) {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            let mut response = Response::new(Body::from(self.body.clone()));
            let as_markdown = self.is_markdown_too && prefers_markdown(request);
            let content_type = if as_markdown { HeaderValue::from_static(MARKDOWN) } else { self.content_type.clone() };
            response.headers_mut().insert(header::CONTENT_TYPE, content_type);
            response
        };
        let headers = response.headers_mut();
        if self.is_markdown_too {
            headers.insert(header::VARY, HeaderValue::from_static("accept"));
        }
        if let Some(link) = &self.link {
            headers.insert(header::LINK, link.clone());
        }
        headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
        if let Ok(etag) = HeaderValue::from_str(&self.etag) {
            headers.insert(header::ETAG, etag);
        }
        response
    }
}

/// Whether `Accept` names Markdown. Weights are not compared: nobody names it who does not want it.
fn prefers_markdown(request: &HeaderMap) -> bool {
    let lines = request.get_all(header::ACCEPT).into_iter().filter_map(|line| line.to_str().ok());
    let mut types = lines.flat_map(|line| line.split(',')).filter_map(|range| range.split(';').next());
    types.any(|name| name.trim().eq_ignore_ascii_case("text/markdown"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(document: &Document, lines: &[&str]) -> StatusCode {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::IF_NONE_MATCH, HeaderValue::from_str(line).expect("a header value"));
        }
        document.reply_to(&headers).status()
    }

    #[test]
    fn a_matching_tag_gives_304() {
        let document = Document::new("text/plain", "text".into());
        let tag = document.etag.clone();
        assert_eq!(status(&document, &[]), StatusCode::OK);
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".into()] {
            assert_eq!(status(&document, &[&known]), StatusCode::NOT_MODIFIED, "{known}");
        }
        assert_eq!(status(&document, &["\"other\"", &tag]), StatusCode::NOT_MODIFIED);
        for unknown in ["", "\"other\"", tag.trim_matches('"'), "W/", "**"] {
            assert_eq!(status(&document, &[unknown]), StatusCode::OK, "{unknown}");
        }
    }

    #[test]
    fn both_replies_carry_tag_and_caching_and_only_one_a_type() {
        let document = Document::new("text/plain", "text".into());
        let mut headers = HeaderMap::new();
        let whole = document.reply_to(&headers);
        assert_eq!(whole.headers()[header::CONTENT_TYPE], "text/plain");
        headers.insert(header::IF_NONE_MATCH, whole.headers()[header::ETAG].clone());
        let known = document.reply_to(&headers);
        assert!(!known.headers().contains_key(header::CONTENT_TYPE));
        for reply in [whole, known] {
            assert_eq!(reply.headers()[header::ETAG], document.etag.as_str());
            assert_eq!(reply.headers()[header::CACHE_CONTROL], "public, max-age=300");
        }
        assert_ne!(Document::new("text/plain", "text.".into()).etag, document.etag);
    }

    #[test]
    fn who_asks_for_markdown_gets_the_same_text_as_markdown() {
        let mut headers = HeaderMap::new();
        let text = Document::new(TEXT, "# Text".into()).markdown_too();
        assert_eq!(text.reply_to(&headers).headers()[header::CONTENT_TYPE], TEXT);
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/html, Text/Markdown;q=0.9, */*"));
        let reply = text.reply_to(&headers);
        assert_eq!(reply.headers()[header::CONTENT_TYPE], MARKDOWN);
        assert_eq!(reply.headers()[header::VARY], "accept");
        assert_eq!(Document::new(TEXT, "text".into()).reply_to(&headers).headers()[header::CONTENT_TYPE], TEXT);
    }
}
