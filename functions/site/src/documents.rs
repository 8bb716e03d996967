//! All documents of this deployment, by path.

use std::collections::BTreeMap;
use std::fmt::Write;

use axum::http::HeaderMap;
use axum::response::Response;
use crochet::config::Config;
use crochet::http::Code;
use serde_json::{Map, Value, json};

use crate::document::{Document, MARKDOWN, TEXT};
use crate::error_page;
use crate::index::Index;
use crate::pages::{FILES, PAGES, PAYING, PROGRAMS, SKILLS, block};
use crate::well_known;

/// Generated from the routers and checked in.
pub(crate) const OPENAPI: &str = include_str!("../../../docs/openapi.json");
const WELCOME: &str = include_str!("welcome.txt");

/// Placeholder for the public URL of this deployment, without a trailing slash.
const PUBLIC_URL: &str = "{PUBLIC_URL}";

const JSON: &str = "application/json";

/// The rendered documents.
#[derive(Debug)]
pub(crate) struct Documents {
    by_path: BTreeMap<String, Document>,
}

impl Documents {
    /// Renders all documents for this deployment.
    ///
    /// # Panics
    /// If the built-in OpenAPI document is not a JSON object, which a test rules out.
    pub(crate) fn render(config: &Config) -> Self {
        let public_url = config.absolute("");
        let fill = |template: &str| template.replace(PUBLIC_URL, &public_url);
        let mut documents = Self { by_path: BTreeMap::new() };
        documents.add("/", Document::new(TEXT, fill(WELCOME)).linking(&well_known::links(&public_url)));
        let links = json!({ "success": true, "data": Index::of(config) });
        documents.add("/api/v1", Document::new(JSON, links.to_string()));
        for path in ["/api/v1/openapi.json", "/api/openapi.json"] {
            documents.add(path, Document::new(JSON, openapi(OPENAPI, &public_url).expect("docs/openapi.json is a JSON object")));
        }
        for page in PAGES {
            let mut text = fill(page.source);
            if page.path == "/docs/errors" {
                text.push_str(&error_page::list(&public_url));
            }
            documents.add_page(page.path, &page.markdown_path(), &text, &public_url);
        }
        documents.add_page("/docs", "/docs.md", &index(&public_url), &public_url);
        for (language, number, path, content_type) in PROGRAMS {
            let program = block(PAYING, language, *number).unwrap_or_default();
            documents.add(path, Document::new(content_type, format!("{program}\n")));
        }
        for (path, content_type, text) in FILES {
            documents.add(path, Document::new(content_type, (*text).to_owned()));
        }
        let mut skills = Vec::new();
        for skill in SKILLS {
            let text = fill(skill.source);
            skills.push((skill, text.clone()));
            for path in skill.also_at.iter().map(|path| (*path).to_owned()).chain([skill.path()]) {
                documents.add(&path, Document::new(MARKDOWN, text.clone()));
            }
        }
        documents.add("/llms.txt", Document::new(TEXT, llms(&public_url)).markdown_too());
        documents.add("/.well-known/agent-skills/index.json", Document::new(JSON, well_known::skills_index(&public_url, &skills)));
        documents.add("/.well-known/agent-protocol.json", Document::new(JSON, well_known::agent_protocol(config)));
        documents.add(well_known::API_CATALOG, Document::new(well_known::LINKSET, well_known::api_catalog(&public_url)));
        documents.add("/robots.txt", Document::new(TEXT, well_known::robots(&public_url)));
        documents
    }

    fn add(&mut self, path: &str, document: Document) {
        self.by_path.insert(path.to_owned(), document);
    }

    /// A text, and the same text as Markdown. Each names the other.
    fn add_page(&mut self, path: &str, markdown_path: &str, text: &str, public_url: &str) {
        let alternate = |path: &str, kind: &str| format!("<{public_url}{path}>; rel=\"alternate\"; type=\"{kind}\"");
        let plain = Document::new(TEXT, text.to_owned()).markdown_too().linking(&alternate(markdown_path, "text/markdown"));
        self.add(path, plain);
        self.add(markdown_path, Document::new(MARKDOWN, text.to_owned()).linking(&alternate(path, "text/plain")));
    }

    /// The paths of all documents.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.by_path.keys().map(String::as_str)
    }

    #[cfg(test)]
    fn text(&self, path: &str) -> &str {
        std::str::from_utf8(self.by_path[path].body()).expect("UTF-8")
    }

    /// The reply to a request for this path. None if no document has it.
    pub(crate) fn reply(&self, path: &str, request: &HeaderMap) -> Option<Response> {
        self.by_path.get(path).map(|document| document.reply_to(request))
    }
}

/// The OpenAPI document with this deployment as its only server. Its paths include `/api/v1`.
fn openapi(template: &str, public_url: &str) -> serde_json::Result<String> {
    let mut document: Map<String, Value> = serde_json::from_str(&template.replace(PUBLIC_URL, public_url))?;
    document.insert("servers".into(), json!([{ "url": public_url }]));
    serde_json::to_string(&document)
}

/// `/docs`: all pages.
fn index(public_url: &str) -> String {
    let mut out = String::from("# Documentation of Crochet\n\nA marketplace and payment gateway for AI agents.\n\n");
    list_pages(&mut out, public_url);
    let _ = write!(
        out,
        "- [OpenAPI 3.1]({public_url}/api/v1/openapi.json): the API for generators and tools\n\
         - [Skill: buy]({public_url}/SKILL.md): register, find, call and pay, with curl\n\
         - [Skill: sell]({public_url}/.well-known/agent-skills/crochet-sell/SKILL.md): put your endpoint on offer, with curl\n\
         - [llms.txt]({public_url}/llms.txt): this list for language models\n\n\
         Every page is also served as Markdown: put `.md` at the end of its path, in place of `.txt` if it has that.\n"
    );
    out
}

fn list_pages(out: &mut String, public_url: &str) {
    for page in PAGES {
        let _ = writeln!(out, "- [{}]({public_url}{}): {}", page.title, page.path, page.about);
    }
}

/// `/llms.txt`, in the format of llmstxt.org.
fn llms(public_url: &str) -> String {
    let mut out = format!(
        "# Crochet\n\n\
         > A marketplace and payment gateway for AI agents. Buyers call sellers' services through one URL, with JSON, and pay per call \
         from their own wallet. Crochet verifies the payment, forwards the call, and keeps the ledger. It never holds money.\n\n\
         The API is at {public_url}/api/v1. An API key is free: it takes a wallet's signature and a proof of work. To buy, start with the \
         first skill. Every page has a Markdown form: put `.md` at the end of its path, in place of `.txt` if it has that.\n\n\
         ## Skills\n\n"
    );
    for skill in SKILLS {
        let _ = writeln!(out, "- [{}]({public_url}{}): {}", skill.name, skill.path(), skill.description());
    }
    out.push_str("\n## Docs\n\n");
    list_pages(&mut out, public_url);
    let _ = write!(
        out,
        "\n## Machine-readable\n\n\
         - [OpenAPI 3.1]({public_url}/api/v1/openapi.json): every route with its schemas and errors\n\
         - [Listings]({public_url}/api/v1/listings): what is on offer now, as JSON\n\
         - [Categories]({public_url}/api/v1/categories): the categories of listings, as JSON\n\
         - [API catalogue]({public_url}{}): RFC 9727\n\n\
         ## Optional\n\n\
         - [Error pages]({public_url}/docs/errors): {} codes, each with a page of its own\n\
         - [Health]({public_url}/api/v1/health): the version that is running\n",
        well_known::API_CATALOG,
        Code::ALL.len(),
    );
    out
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
            let openapi: Value = serde_json::from_str(documents.text("/api/openapi.json")).expect("JSON");
            assert_eq!(openapi["servers"], json!([{ "url": "https://crochet.example" }]));
            for path in documents.paths().filter(|path| !path.contains("openapi")) {
                let text = documents.text(path);
                assert!(!text.contains(PUBLIC_URL) && !text.contains("example//"), "{path}");
            }
            assert!(documents.text("/").contains("https://crochet.example/api/v1"));
        }
    }

    #[test]
    fn the_api_reference_fits_into_a_readers_window() {
        let size = documents_size("/docs/api-reference.txt");
        assert!(size <= 48 * 1024, "{size} bytes");
    }

    fn documents_size(path: &str) -> usize {
        // As long as a public URL usually is.
        Documents::render(&deployed_at("https://marketplace.crochet.example")).text(path).len()
    }

    #[test]
    fn rendering_keeps_the_order() {
        let rendered = openapi(r#"{"openapi":"3.1.0","servers":[],"paths":{"/b":{},"/a":{}}}"#, "http://x").expect("JSON");
        assert_eq!(rendered, r#"{"openapi":"3.1.0","servers":[{"url":"http://x"}],"paths":{"/b":{},"/a":{}}}"#);
    }
}
