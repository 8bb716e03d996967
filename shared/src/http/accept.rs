//! What a reader asks for: a page, or the same as text or JSON.

use axum::http::{HeaderMap, header};

/// What programs ask for by name. Whoever names one of these as much as HTML gets it, because browsers name none.
const OF_PROGRAMS: [&str; 4] = ["text/plain", "text/markdown", "application/json", "application/problem+json"];

/// Whether a request asks for a page: `Accept` names HTML, and nothing for programs with the same weight. `*/*` names nothing.
#[must_use]
pub fn prefers_html(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let (mut html, mut other) = (0.0_f32, 0.0_f32);
    for (name, weight) in lists.flat_map(|list| list.split(',')).map(weighted) {
        if name == "text/html" || name == "application/xhtml+xml" {
            html = html.max(weight);
        } else if OF_PROGRAMS.contains(&name.as_str()) {
            other = other.max(weight);
        }
    }
    html > other
}

/// A media range in lower case, and its weight: 1 without one, 0 for one that is no number.
fn weighted(item: &str) -> (String, f32) {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    (name, weight.map_or(1.0, |weight| weight.parse().ok().filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn browsers_get_pages_and_programs_what_they_name() {
        let prefers = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            prefers_html(&headers)
        };
        for page in [
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
            "text/html",
            "Text/HTML;q=0.5, */*;q=0.1",
            "text/html, text/markdown;q=0.9",
        ] {
            assert!(prefers(page), "{page}");
        }
        for other in [
            "*/*",
            "",
            "text/*",
            "text/markdown, text/html, */*",
            "application/json, text/html;q=0.9",
            "text/plain",
            "text/html;q=0",
            "text/html;q=x",
        ] {
            assert!(!prefers(other), "{other}");
        }
        assert!(!prefers_html(&HeaderMap::new()));
    }
}
