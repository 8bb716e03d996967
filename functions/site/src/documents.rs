//! All documents of this deployment.

use crochet::config::Config;
use serde_json::{Map, Value, json};

use crate::document::Document;
use crate::index::Index;

/// Generated from the routers and checked in.
const OPENAPI: &str = include_str!("../../../docs/openapi.json");
const API_REFERENCE: &str = include_str!("../../../docs/api-reference.txt");
const WELCOME: &str = include_str!("welcome.txt");
/// The guide for sellers on verifying signatures.
const VERIFY_SIGNATURES: &str = include_str!("../../../docs/verify-signatures.md");

/// Placeholder for the public URL of this deployment, without a trailing slash.
const PUBLIC_URL: &str = "{PUBLIC_URL}";

const TEXT: &str = "text/plain; charset=utf-8";
const MARKDOWN: &str = "text/markdown; charset=utf-8";
const JSON: &str = "application/json";

/// The rendered documents.
#[derive(Debug)]
pub(crate) struct Documents {
    pub(crate) welcome: Document,
    pub(crate) index: Document,
    pub(crate) openapi: Document,
    pub(crate) api_reference: Document,
    pub(crate) verify_signatures: Document,
}

impl Documents {
    /// Renders all documents for this deployment.
    ///
    /// # Panics
    /// If the built-in OpenAPI document is not a JSON object, which a test rules out.
    pub(crate) fn render(config: &Config) -> Self {
        let public_url = config.absolute("");
        let text = |template: &str| Document::new(TEXT, template.replace(PUBLIC_URL, &public_url));
        Self {
            welcome: text(WELCOME),
            index: Document::new(JSON, json!({ "success": true, "data": Index::of(config) }).to_string()),
            openapi: Document::new(JSON, openapi(OPENAPI, &public_url).expect("docs/openapi.json is a JSON object")),
            api_reference: text(API_REFERENCE),
            verify_signatures: Document::new(MARKDOWN, VERIFY_SIGNATURES.to_owned()),
        }
    }
}

/// The OpenAPI document with this deployment as its only server. Its paths include `/api/v1`.
fn openapi(template: &str, public_url: &str) -> serde_json::Result<String> {
    let mut document: Map<String, Value> = serde_json::from_str(template)?;
    document.insert("servers".into(), json!([{ "url": public_url }]));
    serde_json::to_string(&document)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployed_at(url: &'static str) -> Config {
        Config::from_lookup(|name| (name == "CROCHET_PUBLIC_URL").then(|| url.to_owned())).expect("the defaults")
    }

    #[test]
    fn the_public_url_is_filled_in_without_a_trailing_slash() {
        for url in ["https://crochet.example", "https://crochet.example/"] {
            let documents = Documents::render(&deployed_at(url));
            let openapi: Value = serde_json::from_slice(documents.openapi.body()).expect("JSON");
            assert_eq!(openapi["servers"], json!([{ "url": "https://crochet.example" }]));
            for text in [&documents.welcome, &documents.api_reference] {
                let text = std::str::from_utf8(text.body()).expect("UTF-8");
                assert!(text.contains("https://crochet.example/api/v1"), "{text}");
                assert!(!text.contains(PUBLIC_URL) && !text.contains("example//"), "{text}");
            }
        }
    }

    #[test]
    fn rendering_keeps_the_order() {
        let rendered = openapi(r#"{"openapi":"3.1.0","servers":[],"paths":{"/b":{},"/a":{}}}"#, "http://x").expect("JSON");
        assert_eq!(rendered, r#"{"openapi":"3.1.0","servers":[{"url":"http://x"}],"paths":{"/b":{},"/a":{}}}"#);
    }
}
