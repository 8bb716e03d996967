//! Documents for programs that come without a link: indexes, and the files of `/.well-known`.

use std::fmt::Write;

use crochet::config::Config;
use crochet_domain::ids::sha256_hex;
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, Time};

use crate::pages::Skill;

/// The catalogue of this deployment's APIs (RFC 9727), a set of links (RFC 9264).
pub(crate) const API_CATALOG: &str = "/.well-known/api-catalog";
pub(crate) const LINKSET: &str = "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"";
/// The media type of an OpenAPI document, in links. It is served as JSON.
const OPENAPI_TYPE: &str = "application/vnd.oai.openapi+json;version=3.1";
/// The index's version. The programs that install skills compare it letter for letter.
const SKILLS_SCHEMA: &str = "https://schemas.agentskills.io/discovery/0.2.0/schema.json";

/// The `Link` header of `/`.
pub(crate) fn links(public_url: &str) -> String {
    [
        (API_CATALOG, "api-catalog", "application/linkset+json"),
        ("/api/v1/openapi.json", "service-desc", OPENAPI_TYPE),
        ("/docs/api-reference.txt", "service-doc", "text/plain"),
        ("/docs", "help", "text/plain"),
        ("/llms.txt", "describedby", "text/plain"),
        ("/.well-known/agent-skills/index.json", "related", "application/json"),
        ("/.well-known/agent-protocol.json", "related", "application/json"),
        ("/sitemap.xml", "sitemap", "application/xml"),
    ]
    .map(|(path, rel, kind)| format!("<{public_url}{path}>; rel=\"{rel}\"; type=\"{kind}\""))
    .join(", ")
}

pub(crate) fn api_catalog(public_url: &str) -> String {
    let link = |path: &str, kind: &str| json!({ "href": format!("{public_url}{path}"), "type": kind });
    json!({ "linkset": [{
        "anchor": format!("{public_url}/api/v1"),
        "service-desc": [link("/api/v1/openapi.json", OPENAPI_TYPE)],
        "service-doc": [link("/docs/api-reference.txt", "text/plain"), link("/docs/api-reference.md", "text/markdown")],
        "service-meta": [link("/.well-known/agent-protocol.json", "application/json")],
        "status": [link("/api/v1/health", "application/json")],
    }] })
    .to_string()
}

/// The index of skills. A digest is of the bytes that are served.
pub(crate) fn skills_index(public_url: &str, skills: &[(&Skill, String)]) -> String {
    let entry = |(skill, text): &(&Skill, String)| {
        json!({
            "name": skill.name,
            "type": "skill-md",
            "description": skill.description(),
            "url": format!("{public_url}{}", skill.path()),
            "digest": format!("sha256:{}", sha256_hex(text)),
        })
    };
    json!({ "$schema": SKILLS_SCHEMA, "skills": skills.iter().map(entry).collect::<Vec<_>>() }).to_string()
}

/// What a program needs to know to deal with this deployment, in one reply.
pub(crate) fn agent_protocol(config: &Config) -> String {
    let url = |path: &str| config.absolute(path);
    json!({
        "protocol": "crochet",
        "version": env!("CARGO_PKG_VERSION"),
        "name": "Crochet",
        "description": "A marketplace and payment gateway for AI agents: JSON calls, paid one by one.",
        "api_base": url("/api/v1"),
        "openapi": url("/api/v1/openapi.json"),
        "reference": url("/docs/api-reference.txt"),
        "skill": url("/agent-skill"),
        "skills": url("/.well-known/agent-skills/index.json"),
        "errors": url("/docs/errors/{CODE}"),
        "identity": {
            "kind": "wallet_signature",
            "chains": ["evm", "solana"],
            "challenge": url("/api/v1/auth/challenge"),
            "register": url("/api/v1/register"),
            "recover": url("/api/v1/auth/recover"),
            "proof_of_work": { "algorithm": "sha256", "difficulty": config.pow_difficulty },
        },
        "authentication": { "scheme": "Bearer", "key_prefix": "am_k_" },
        "catalog": { "listings": url("/api/v1/listings"), "categories": url("/api/v1/categories") },
        "gateway": {
            "call": url("/api/v1/gateway/{listing_id}"),
            "requests": url("/api/v1/gateway-requests"),
            "ledger": url("/api/v1/ledger"),
        },
        "payment": {
            "status": 402,
            "origin_currencies": ["SOL", "USDC_SOL", "ETH", "USDC"],
            "fee_bps": config.fee_rate.bps(),
            "how_to_pay": url("/docs/paying"),
        },
        "seller_signatures": { "standard": "Standard Webhooks 1.0", "documentation": url("/docs/verify-signatures") },
    })
    .to_string()
}

/// Everything may be read, the API too: agents that keep to this file must be able to browse listings.
pub(crate) fn robots(public_url: &str) -> String {
    format!("User-agent: *\nAllow: /\n\nSitemap: {public_url}/sitemap.xml\n")
}

/// A sitemap of these paths.
pub(crate) fn sitemap(public_url: &str, paths: &[String]) -> String {
    locations(public_url, paths, "urlset", "url")
}

/// An index of the sitemaps at these paths.
pub(crate) fn sitemap_index(public_url: &str, paths: &[String]) -> String {
    locations(public_url, paths, "sitemapindex", "sitemap")
}

fn locations(public_url: &str, paths: &[String], all: &str, each: &str) -> String {
    let mut out =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{all} xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n");
    for path in paths {
        let _ = writeln!(out, "  <{each}><loc>{public_url}{path}</loc></{each}>");
    }
    let _ = writeln!(out, "</{all}>");
    out
}

/// `security.txt` (RFC 9116). It expires 180 days from today; the whole day has one text.
pub(crate) fn security_txt(public_url: &str, contact: &str, now: OffsetDateTime) -> String {
    let expires = (now + Duration::days(180)).replace_time(Time::MIDNIGHT).format(&Rfc3339).unwrap_or_default();
    format!("Contact: {contact}\nExpires: {expires}\nPreferred-Languages: en\nCanonical: {public_url}/.well-known/security.txt\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_txt_is_the_same_all_day_and_never_a_year_ahead() {
        let at = |seconds| {
            security_txt(
                "https://crochet.example",
                "mailto:security@crochet.example",
                OffsetDateTime::from_unix_timestamp(seconds).expect("a time"),
            )
        };
        let morning = at(1_790_000_000 / 86_400 * 86_400);
        assert_eq!(morning, at(1_790_000_000 / 86_400 * 86_400 + 86_399));
        assert_ne!(morning, at(1_790_000_000 + 86_400));
        assert!(morning.contains("\nExpires: 2027-03-"), "{morning}");
        assert!(morning.contains("T00:00:00Z\n"), "{morning}");
    }
}
