//! A walk from `/` to every document, over every link.

use std::collections::{BTreeMap, BTreeSet};

use crochet_tests::{Client, Failure, Outcome, Reply, Setup, with_setup};
use http::Method;
use serde_json::Value;

/// Not where the stack listens: links come from the configured URL, never from the request.
const PUBLIC_URL: &str = "https://market.crochet.example";

/// What texts name without being a link to follow, each with its reason.
const NOT_FOLLOWED: &[(&str, &str)] = &[
    ("https://schemas.agentskills.io/discovery/0.2.0/schema.json", "`$schema` of the skills' index"),
    ("https://www.rfc-editor.org/info/rfc9727", "the profile of the catalogue's media type"),
    ("http://www.sitemaps.org/schemas/sitemap/0.9", "the XML namespace of a sitemap"),
    ("http://www.w3.org/2000/svg", "the XML namespace of a plot"),
    ("https://schema.org/", "the vocabulary of a page's microdata"),
    ("https://json-schema.org/", "the dialect of schemas"),
    ("https://api.mainnet-beta.solana.com", "a program's default node"),
    ("https://mainnet.base.org", "a program's default node"),
    ("http://127.0.0.1:9001", "the sandbox of a local stack"),
    ("http://localhost:9000", "where an operator's passkeys work locally"),
    ("https://www.standardwebhooks.com", "the standard that signatures follow"),
    ("https://github.com/standard-webhooks/", "its libraries"),
    ("https://api.relay.link", "the payment provider, in examples"),
    ("https://eips.ethereum.org/EIPS/eip-8004", "the type of a registration file"),
    ("https://crochet.example", "a deployment, in examples"),
    ("https://seller.example", "a seller, in examples"),
    ("https://…", "an example that is cut"),
];

/// What ends a link in a text.
const END: [char; 14] = [' ', '\n', ')', '(', ']', '>', '<', '"', '\'', '`', '|', ',', '\\', ';'];

/// The absolute links of a text, and its Markdown links to paths beside it.
fn links(page: &str, text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for scheme in ["https://", "http://"] {
        for (start, _) in text.match_indices(scheme) {
            let rest = &text[start..];
            let link = &rest[..rest.find(END).unwrap_or(rest.len())];
            found.insert(link.trim_end_matches(['.', ':']).to_owned());
        }
    }
    for (start, _) in text.match_indices("](") {
        let link = text[start + 2..].split(')').next().unwrap_or_default();
        if !link.contains("://") && !link.starts_with('#') {
            let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
            found.insert(if link.starts_with('/') { format!("{PUBLIC_URL}{link}") } else { format!("{folder}/{link}") });
        }
    }
    found
}

/// A link with a part to be filled in.
fn is_template(link: &str) -> bool {
    link.contains(['{', '$', '*', '…']) || link.contains("/:") || link.ends_with("/CODE") || link.ends_with("&lt")
}

fn is_not_followed(link: &str) -> bool {
    NOT_FOLLOWED.iter().any(|(known, _)| link.starts_with(known))
}

/// The media type that belongs to a path.
fn expected_type(path: &str) -> &'static str {
    match path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, extension)| extension) {
        _ if path == "/.well-known/api-catalog" => "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"",
        _ if path == "/agent-skill" => "text/markdown; charset=utf-8",
        _ if path == "/marketplace" || path.starts_with("/docs/api-reference/") => "text/html; charset=utf-8",
        Some("md") => "text/markdown; charset=utf-8",
        Some("json") => "application/json",
        Some("xml") => "application/xml",
        Some("py") => "text/x-python; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("mjs") => "text/javascript; charset=utf-8",
        _ if path.starts_with("/api/") => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}

/// Whether a link to a route of the API can be followed by anybody. None if there is no such route.
fn can_be_read(openapi: &Value, route: &str) -> Option<bool> {
    let fits = |template: &str| {
        let segments = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
        let (ours, theirs) = (segments(route), segments(template));
        ours.len() == theirs.len() && ours.iter().zip(&theirs).all(|(a, b)| a == b || b.starts_with('{'))
    };
    let paths = openapi["paths"].as_object()?;
    // The path of one resource: an example, which is nowhere.
    let Some(operations) = paths.get(route) else { return paths.keys().any(|template| fits(template)).then_some(false) };
    let needs = operations["get"]["security"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_open = needs.is_empty() || needs.iter().any(|need| need.as_object().is_some_and(|need| need.is_empty()));
    Some(operations["get"].is_object() && is_open)
}

/// What a walk has seen.
#[derive(Default)]
struct Walk {
    /// Each document with its reply.
    documents: BTreeMap<String, Reply>,
    links: usize,
}

impl Walk {
    /// Follows every link, from `/` on.
    async fn over(client: &Client) -> Result<Self, Failure> {
        let openapi = client.site(Method::GET, "/api/v1/openapi.json").send().await?.json;
        let mut walk = Self::default();
        // The last two are found by convention.
        let mut next: Vec<String> = ["/", "/robots.txt", "/.well-known/security.txt"].map(str::to_owned).into();
        while let Some(path) = next.pop() {
            if walk.documents.contains_key(&path) {
                continue;
            }
            let reply = client.site(Method::GET, &path).send().await?;
            assert_eq!(reply.status, 200, "{path}");
            assert_eq!(reply.header("content-type"), expected_type(&path), "{path}");
            let page = format!("{PUBLIC_URL}{path}");
            // The OpenAPI document links to nothing: its texts name paths.
            let text = if path.contains("openapi") { String::new() } else { reply.text() };
            for link in links(&page, &format!("{text}\n{}", reply.header("link"))) {
                walk.links += 1;
                if is_template(&link) || is_not_followed(&link) {
                    continue;
                }
                let local = link.strip_prefix(PUBLIC_URL).unwrap_or_else(|| panic!("{path} links to {link}"));
                let local = local.split('#').next().unwrap_or_default();
                let local = if local.is_empty() { "/" } else { local };
                if local == "/api/v1" || local.starts_with("/api/v1/") {
                    let route = local.split('?').next().unwrap_or_default();
                    match can_be_read(&openapi, route) {
                        Some(true) => next.push(route.to_owned()),
                        Some(false) => {}
                        None => panic!("{path} links to {link}, which no operation describes"),
                    }
                } else {
                    next.push(local.to_owned());
                }
            }
            walk.documents.insert(path, reply);
        }
        Ok(walk)
    }
}

fn setup() -> Setup {
    Setup::settings(&[("CROCHET_PUBLIC_URL", PUBLIC_URL), ("CROCHET_SECURITY_CONTACT", "mailto:security@crochet.example")])
}

#[test]
fn every_document_is_found_from_the_root_and_every_link_leads_to_one() -> Outcome {
    with_setup(setup(), async |world| {
        let client = world.site_client().ok_or_else(|| Failure::new("this requires a stack in this process"))?;
        let walk = Walk::over(&client).await?;
        println!("{} links, {} documents", walk.links, walk.documents.len());
        for path in [
            "/llms.txt",
            "/SKILL.md",
            "/agent-skill",
            "/.well-known/agent-skills/index.json",
            "/.well-known/agent-skills/crochet/SKILL.md",
            "/.well-known/agent-skills/crochet-sell/SKILL.md",
            "/seller-onboarding",
            "/seller-onboarding.md",
            "/docs/api-reference.txt",
            "/docs/api-reference-full.txt",
            "/docs/seller-integration.txt",
            "/docs/paying",
            "/docs/paying.md",
            "/docs/paying/solana.py",
            "/docs/paying/evm.mjs",
            "/docs/score.md",
            "/docs/score/attacks",
            "/docs/score/recompute.py",
            "/docs/score/inflation.svg",
            "/docs/verify-signatures.md",
            "/docs/errors/PAYMENT_REQUIRED",
            "/docs/errors/PAYMENT_REQUIRED.md",
            "/.well-known/agent-protocol.json",
            "/.well-known/api-catalog",
            "/.well-known/security.txt",
            "/robots.txt",
            "/sitemap.xml",
            "/sitemap/pages.xml",
            "/marketplace",
            "/docs/overview",
            "/docs/agent-skill.md",
            "/docs/api-reference/call_listing",
            "/terms",
            "/privacy",
            "/api/v1/openapi.json",
        ] {
            assert!(walk.documents.contains_key(path), "{path} is not linked");
        }
        // The keys of receipts are cached for ten minutes, and not compared. The marketplace changes with the minute.
        let others = ["/.well-known/jwks.json", "/marketplace"];
        let is_document = |path: &str| (!path.starts_with("/api/v1/") || path.ends_with("openapi.json")) && !others.contains(&path);
        for (path, reply) in walk.documents.iter().filter(|(path, _)| is_document(path)) {
            let tag = reply.header("etag");
            assert!(!tag.is_empty() && reply.header("cache-control").contains("max-age"), "{path}");
            assert_eq!(reply.header("access-control-allow-origin"), "*", "{path}");
            let same = client.site(Method::GET, path).header("if-none-match", tag).send().await?;
            assert_eq!((same.status, same.body.len()), (304, 0), "{path}");
            let head = client.site(Method::HEAD, path).send().await?;
            assert_eq!((head.status, head.body.len(), head.header("etag")), (200, 0, tag), "{path}");
        }
        Ok(())
    })
}

#[test]
fn the_catalogues_name_what_is_served() -> Outcome {
    with_setup(setup(), async |world| {
        let client = world.site_client().ok_or_else(|| Failure::new("this requires a stack in this process"))?;
        let get = async |path: &str| -> Result<Reply, Failure> { Ok(client.site(Method::GET, path).send().await?) };
        let catalog = get("/.well-known/api-catalog").await?.json;
        let set = &catalog["linkset"][0];
        assert_eq!(set["anchor"], format!("{PUBLIC_URL}/api/v1"));
        for relation in ["service-desc", "service-doc", "service-meta", "status"] {
            for link in set[relation].as_array().ok_or_else(|| Failure::new(relation))? {
                let path = link["href"].as_str().and_then(|href| href.strip_prefix(PUBLIC_URL)).unwrap_or_default();
                let reply = get(path).await?;
                assert_eq!(reply.status, 200, "{path}");
                let served = reply.header("content-type").split(';').next().unwrap_or_default().to_owned();
                let named = link["type"].as_str().unwrap_or_default();
                // An OpenAPI document is served as the JSON that it is.
                assert!(
                    served == named || (named.starts_with("application/vnd.oai.openapi") && served == "application/json"),
                    "{path}"
                );
            }
        }
        let index = get("/.well-known/agent-skills/index.json").await?.json;
        for skill in index["skills"].as_array().into_iter().flatten() {
            let path = skill["url"].as_str().and_then(|url| url.strip_prefix(PUBLIC_URL)).unwrap_or_default();
            let digest = crochet_domain::ids::sha256_hex(&get(path).await?.body);
            assert_eq!(skill["digest"], format!("sha256:{digest}"), "{path}");
        }
        let root = get("/").await?;
        for relation in ["api-catalog", "service-desc", "service-doc"] {
            assert!(root.header("link").contains(&format!("rel=\"{relation}\"")), "{}", root.header("link"));
        }
        let [one, two, three] =
            [get("/SKILL.md").await?, get("/agent-skill").await?, get("/.well-known/agent-skills/crochet/SKILL.md").await?];
        assert!(one.body == two.body && two.body == three.body);
        let markdown = client.site(Method::GET, "/docs/paying").header("accept", "text/markdown").send().await?;
        assert_eq!(markdown.header("content-type"), "text/markdown; charset=utf-8");
        let protocol: Value = get("/.well-known/agent-protocol.json").await?.json;
        assert_eq!(protocol["api_base"], format!("{PUBLIC_URL}/api/v1"));
        Ok(())
    })
}

#[test]
fn what_is_not_there_is_404() -> Outcome {
    crochet_tests::shared(async |world| {
        for path in ["/docs/errors/NO_SUCH_CODE", "/docs/errors/payment_required", "/.well-known/security.txt", "/docs/nothing.md"]
        {
            assert_eq!(world.client.site(Method::GET, path).send().await?.code(), "NOT_FOUND", "{path}");
        }
        Ok(())
    })
}

#[test]
fn the_reference_fits_into_48_kb() -> Outcome {
    crochet_tests::shared(async |world| {
        let reply = world.client.site(Method::GET, "/docs/api-reference.txt").send().await?;
        println!("{} bytes", reply.body.len());
        assert!(reply.body.len() <= 48 * 1024, "{} bytes", reply.body.len());
        Ok(())
    })
}
