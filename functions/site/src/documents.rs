//! Every document of this deployment.

use crochet::config::Config;
use serde_json::{Map, Value, json};

use crate::document::Document;

/// Generated from the routers and kept in the repository.
const OPENAPI: &str = include_str!("../../../docs/openapi.json");
const API_REFERENCE: &str = include_str!("../../../docs/api-reference.txt");
const WELCOME: &str = include_str!("welcome.txt");
/// How sellers verify that a call comes from here; a page of the repository.
const VERIFY_SIGNATURES: &str = include_str!("../../../docs/verify-signatures.md");

/// What stands in a text for the origin at which this deployment is reached, without a slash at the end.
const PUBLIC_URL: &str = "{PUBLIC_URL}";

const TEXT: &str = "text/plain; charset=utf-8";
const MARKDOWN: &str = "text/markdown; charset=utf-8";
const JSON: &str = "application/json";

/// The documents, rendered.
#[derive(Debug)]
pub(crate) struct Documents {
    pub(crate) welcome: Document,
    pub(crate) openapi: Document,
    pub(crate) api_reference: Document,
    pub(crate) verify_signatures: Document,
}

impl Documents {
    /// Renders all of them for this deployment.
    ///
    /// # Panics
    /// Where the OpenAPI document that was built in is no JSON object, which a test rules out.
    pub(crate) fn render(config: &Config) -> Self {
        let public_url = config.absolute("");
        let text = |template: &str| Document::new(TEXT, template.replace(PUBLIC_URL, &public_url));
        Self {
            welcome: text(WELCOME),
            openapi: Document::new(JSON, openapi(OPENAPI, &public_url).expect("docs/openapi.json is a JSON object")),
            api_reference: text(API_REFERENCE),
            verify_signatures: Document::new(MARKDOWN, VERIFY_SIGNATURES.to_owned()),
        }
    }
}

/// The OpenAPI document with this deployment as its one server. Its paths are whole, from `/api/v1` on.
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
    fn the_public_url_is_filled_in_without_a_slash_at_the_end() {
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
    fn the_order_of_the_document_stays() {
        let rendered = openapi(r#"{"openapi":"3.1.0","servers":[],"paths":{"/b":{},"/a":{}}}"#, "http://x").expect("JSON");
        assert_eq!(rendered, r#"{"openapi":"3.1.0","servers":[{"url":"http://x"}],"paths":{"/b":{},"/a":{}}}"#);
    }
}
