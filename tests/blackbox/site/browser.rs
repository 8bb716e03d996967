//! The site in Chromium: every page, at two widths, in two schemes, with scripts and without, and by keyboard alone.

use std::path::PathBuf;

use crochet_tests::{Failure, Market, Outcome, Program, World, isolated};
use http::Method;
use serde_json::{Value, json};

use super::{busy_market, hostile, named};

/// Where screenshots are kept.
fn shots() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    target.join("site-screenshots")
}

/// Pages of each kind, which are looked at in every form, and the rest, which are looked at once.
async fn pages(world: &World, market: &Market<'_>, quiet: &str, hostile: &str) -> Result<Vec<Value>, Failure> {
    let of_kind = |kind: &str, path: String, status: u16| json!({ "kind": kind, "path": path, "status": status });
    let mut pages = vec![
        of_kind("home", "/".into(), 200),
        of_kind("marketplace", "/marketplace".into(), 200),
        of_kind("empty", "/marketplace?q=line+counter&max_price=0.01".into(), 200),
        of_kind("refused", "/marketplace?min_price=cheap".into(), 400),
        of_kind("listing", format!("/listings/{}", market.listing.slug), 200),
        of_kind("listing-new", format!("/listings/{quiet}"), 200),
        of_kind("listing-hostile", format!("/listings/{hostile}"), 200),
        of_kind("agent", format!("/agents/{}", market.seller.profile_id), 200),
        of_kind("docs", "/docs/for-agents".into(), 200),
        of_kind("docs-search", "/docs?q=refund".into(), 200),
        of_kind("api-reference", "/docs/api-reference".into(), 200),
        of_kind("operation", "/docs/api-reference/call_listing".into(), 200),
        of_kind("error", "/docs/errors/PAYMENT_REQUIRED".into(), 200),
        of_kind("status", "/status".into(), 200),
        of_kind("not-found", "/listings/line-conuter".into(), 404),
    ];
    let sitemap = world.client.site(Method::GET, "/sitemap/pages.xml").send().await?.text();
    for location in sitemap.split("<loc>").skip(1).filter_map(|rest| rest.split("</loc>").next()) {
        let path = location.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default();
        let is_page = !path.ends_with(".txt") && !path.ends_with(".md");
        // Pages of errors and routes are made alike: every sixteenth or so is looked at.
        let alike = path.starts_with("/docs/errors/") || path.starts_with("/docs/api-reference/");
        if is_page && (!alike || path.len() % 16 == 0) && !pages.iter().any(|page| page["path"] == path.as_str()) {
            pages.push(json!({ "path": path, "status": 200 }));
        }
    }
    Ok(pages)
}

#[test]
fn every_page_is_valid_accessible_steady_and_works_without_scripts() -> Outcome {
    let Some((program, chromium)) = Program::browser("site.mjs") else { return Ok(()) };
    isolated(async |world| {
        world.at_noon().await?;
        let market = busy_market(world).await?;
        world.sweep().await?;
        world.count_scores().await?;
        world.later(26 * 3_600).await?;
        market.buy(&json!({ "text": "on another day" })).await?;
        world.sweep().await?;
        world.count_scores().await?;
        let quiet = named(world, "Quiet Service", "Nobody has called it yet.").await?;
        let mut worst = String::new();
        for (name, description) in hostile::names().into_iter().take(12) {
            worst = named(world, &name, &description).await?.slug;
        }
        let listing = format!("/listings/{}", market.listing.slug);
        let input = json!({
            "base": world.client.base(),
            "chromium": chromium,
            "pages": pages(world, &market, &quiet.slug, &worst).await?,
            "plain": ["/", "/docs", "/docs/paying", "/docs/errors/RATE_LIMITED", "/docs/api-reference", "/docs/seller-integration", "/terms"],
            "listing": listing,
            "shots": shots(),
            "query": "line counter",
        });
        let seen =
            tokio::task::spawn_blocking(move || program.run(&input)).await.map_err(|error| Failure::new(error.to_string()))??;
        println!("bytes per page, compressed: {:#}", seen["weights"]);
        println!(
            "{} links, {} runs of axe-core, largest shift {}, slowest paint {} ms",
            seen["links"], seen["runs"], seen["largest_shift"], seen["slowest_paint"]
        );
        assert_eq!(seen["faults"], json!([]), "{:#}", seen["faults"]);
        for (scripts, copies) in [("scripts", true), ("none", false)] {
            let expected = json!({
                "found": "1 listing", "filtered": "1 listing", "order": "price_low", "chip": "Per call", "code": true, "probe": true,
                "python": true, "copies": copies,
            });
            assert_eq!(seen["walks"][scripts], expected, "{scripts}: {:#}", seen["walks"]);
        }
        let keyboard = json!({ "skip": "Skip to content", "by_arrow": true, "slash": "q", "searched": "line counter" });
        assert_eq!(seen["keyboard"], keyboard, "{:#}", seen["keyboard"]);
        Ok(())
    })
}
