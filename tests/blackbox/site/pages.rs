//! What pages show, and with which headers they are sent.

use std::collections::BTreeSet;

use crochet_tests::policy::{rights_for, rights_of};
use crochet_tests::{Outcome, Proxy, Setup, isolated, shared, with_setup};
use http::Method;

use super::{HTML, busy_market, has, page, said};

#[test]
fn pages_are_kept_for_a_minute_and_run_nothing_of_others() -> Outcome {
    shared(async |world| {
        for path in ["/", "/marketplace", "/docs", "/docs/overview", "/docs/api-reference", "/docs/errors/RATE_LIMITED", "/terms"] {
            let reply = page(&world.client, path).await?;
            assert_eq!((reply.status, reply.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
            assert_eq!(reply.header("cache-control"), "public, max-age=60", "{path}");
            let policy = reply.header("content-security-policy");
            for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"]
            {
                assert!(policy.contains(part), "{path}: {policy}");
            }
            assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
            let etag = reply.header("etag");
            assert!(!etag.is_empty(), "{path}");
            // A live page changes when the minute does.
            if !matches!(path, "/" | "/marketplace") {
                let known =
                    world.client.site(Method::GET, path).header("accept", HTML).header("if-none-match", etag).send().await?;
                assert_eq!((known.status, known.body.len()), (304, 0), "{path}");
            }
        }
        let status = page(&world.client, "/status").await?;
        assert_eq!((status.status, status.header("cache-control")), (200, "private, no-store"));
        has(&status, &["Everything works", "Database", "Marketplace"])
    })
}

#[test]
fn programs_get_the_texts_that_they_always_got() -> Outcome {
    shared(async |world| {
        for path in [
            "/",
            "/docs",
            "/docs/paying",
            "/docs/errors",
            "/docs/errors/RATE_LIMITED",
            "/seller-onboarding",
            "/docs/verify-signatures",
        ] {
            for accept in ["*/*", "text/plain", "text/markdown, text/html, */*"] {
                let reply = world.client.site(Method::GET, path).header("accept", accept).send().await?;
                assert!(
                    reply.header("content-type").starts_with("text/") && !reply.header("content-type").contains("html"),
                    "{path} {accept}"
                );
                assert!(reply.header("vary").contains("accept") || path == "/", "{path}");
            }
        }
        for path in ["/no-such-page", "/listings/no-such-listing", "/agents/nobody", "/docs/api-reference/no_such_route"] {
            assert_eq!(world.client.site(Method::GET, path).send().await?.status, 404, "{path}");
            assert!(
                world.client.site(Method::GET, path).send().await?.header("content-type").starts_with("application/json"),
                "{path}"
            );
        }
        Ok(())
    })
}

#[test]
fn a_404_says_what_may_have_been_meant() -> Outcome {
    isolated(async |world| {
        let market = busy_market(world).await?;
        let misspelt = format!("/listings/{}-2026", market.listing.slug.replace("counter", "conuter"));
        let reply = page(&world.client, &misspelt).await?;
        assert_eq!((reply.status, reply.header("cache-control")), (404, "private, no-store"));
        has(&reply, &["This stitch was dropped", "Did you mean", "Line Counter"])?;
        let reply = page(&world.client, "/a%3Cscript%3Ealert(1)%3C/script%3E").await?;
        assert_eq!((reply.status, reply.header("content-type")), (404, "text/html; charset=utf-8"));
        has(&reply, &["&lt;script&gt;", "req_"])?;
        // The API answers in JSON, whoever asks.
        let reply = page(&world.client, "/api/v1/nothing").await?;
        assert_eq!((reply.status, reply.header("content-type")), (404, "application/json"));
        Ok(())
    })
}

#[test]
fn a_listing_shows_its_terms_its_record_and_the_gateways_own_402() -> Outcome {
    isolated(async |world| {
        let market = busy_market(world).await?;
        world.sweep().await?;
        let path = format!("/listings/{}", market.listing.slug);
        let reply = page(&world.client, &path).await?;
        has(
            &reply,
            &[
                "<bdi itemprop=\"name\">Line Counter</bdi>",
                "$0.25",
                "SOL on Solana, ETH or USDC on Base",
                "3 of 3",
                "In the seller’s words",
                "rel=\"nofollow ugc noopener\"",
                "It counts",
                "The seller answered on",
                "Counts the lines of a text",
                "<code>options.blank</code>",
                "2 lines",
            ][..10],
        )?;
        // The same 402 as an agent gets for an empty body.
        let probe = market.call_raw("").send().await?;
        assert_eq!(probe.status, 402);
        let body = reply.text();
        let shown = body.split("id=\"probe-body\"").nth(1).and_then(|rest| rest.split("</pre>").next()).unwrap_or_default();
        let shown = shown
            .split_once("{")
            .map(|(_, json)| format!("{{{json}").replace("&quot;", "\"").replace("&amp;", "&"))
            .unwrap_or_default();
        let shown: serde_json::Value = serde_json::from_str(&shown)?;
        assert_eq!(shown, probe.json, "{shown:#}");
        // By its id, the browser is led to the name.
        let by_id =
            world.client.site(Method::GET, &format!("/listings/{}", market.listing.id)).header("accept", HTML).send().await?;
        assert!(by_id.status == 308 || by_id.status == 200, "{}", by_id.status);
        // What the agents' pages say.
        let seller = page(&world.client, &format!("/agents/{}", market.seller.profile_id)).await?;
        has(&seller, &["of 1000, Moderate", "Line Counter", "Reliability", "Every count was right."])?;
        let buyer = page(&world.client, &format!("/agents/{}", market.buyer.profile_id)).await?;
        has(&buyer, &["Reviews given", "Every count was right.", "nobody has claimed to operate it"])
    })
}

#[test]
fn the_marketplace_searches_filters_and_says_which_filter_is_to_blame() -> Outcome {
    isolated(async |world| {
        let market = busy_market(world).await?;
        let found = page(&world.client, "/marketplace?q=line+counter&sort=price_low&category=&min_price=").await?;
        has(&found, &["1 listing<", "Line Counter", "Cheapest first"])?;
        let none = page(&world.client, "/marketplace?q=line+counter&max_price=0.01&category=content").await?;
        has(&none, &["No listing matches all of this", "without up to $0.01", "Nearest to what you asked", "Line Counter"])?;
        let wrong = page(&world.client, "/marketplace?max_price=cheap").await?;
        assert_eq!(wrong.status, 400);
        has(&wrong, &["This filter cannot be applied", "aria-invalid=\"true\"", "value=\"cheap\""])?;
        let script = page(&world.client, "/marketplace?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E%22%3E").await?;
        assert!(!script.text().contains("<script>alert"), "{}", script.text());
        let home = page(&world.client, "/").await?;
        has(&home, &["Line Counter", "Sell what you already run", &format!("/listings/{}", market.listing.slug)])?;
        let sitemap = world.client.site(Method::GET, "/sitemap.xml").send().await?;
        assert!(sitemap.text().contains("/sitemap/listings-1.xml"), "{}", sitemap.text());
        let part = world.client.site(Method::GET, "/sitemap/listings-1.xml").send().await?;
        assert!(part.text().contains(&format!("/listings/{}</loc>", market.listing.slug)), "{}", part.text());
        Ok(())
    })
}

#[test]
fn drafts_have_no_page_and_suspended_listings_say_so() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let mut fields = world.free_fields("/echo");
        fields["status"] = "draft".into();
        let draft = seller.create_listing(&fields).await?;
        assert_eq!(page(&world.client, &format!("/listings/{}", draft.slug)).await?.status, 404);
        let listing = seller.create_listing(&world.free_fields("/echo")).await?;
        seller.delete(&format!("/listings/{}", listing.id)).send().await?;
        has(&page(&world.client, &format!("/listings/{}", listing.slug)).await?, &["Not on offer", "noindex"])
    })
}

#[test]
fn the_docs_are_searched_and_every_route_and_code_has_a_page() -> Outcome {
    shared(async |world| {
        has(&page(&world.client, "/docs?q=create+a+listing").await?, &["/docs/api-reference/create_listing"])?;
        has(&page(&world.client, "/docs?q=xyzzy+%3Cb%3E").await?, &["Nothing found for “xyzzy &lt;b&gt;”"])?;
        has(&page(&world.client, "/docs/errors/PAYMENT_REQUIRED").await?, &["<h1>PAYMENT_REQUIRED</h1>", "This page as Markdown"])?;
        for slug in [
            "overview",
            "quick-start",
            "how-it-works",
            "for-agents",
            "for-humans",
            "api-reference",
            "payments",
            "trust-reviews",
            "seller-integration",
            "agent-skill",
        ] {
            has(&page(&world.client, &format!("/docs/{slug}")).await?, &["aria-current=\"page\""])?;
            let markdown = world.client.site(Method::GET, &format!("/docs/{slug}.md")).send().await?;
            assert_eq!((markdown.status, markdown.header("content-type")), (200, "text/markdown; charset=utf-8"), "{slug}");
        }
        let openapi = world.client.site(Method::GET, "/api/v1/openapi.json").send().await?.json;
        for operation in
            openapi["paths"].as_object().into_iter().flatten().flat_map(|(_, path)| path.as_object().into_iter().flatten())
        {
            let id = said(&operation.1["operationId"]);
            let reply = page(&world.client, &format!("/docs/api-reference/{id}")).await?;
            assert_eq!(reply.status, 200, "{id}");
        }
        Ok(())
    })
}

#[test]
fn files_of_pages_are_kept_for_a_year_under_a_name_of_their_content() -> Outcome {
    shared(async |world| {
        let home = page(&world.client, "/").await?.text();
        let names: Vec<&str> = home.split('"').filter(|text| text.starts_with("/assets/")).collect();
        assert_eq!(names.len(), 3, "{names:?}");
        for name in names {
            let reply = world.client.site(Method::GET, name).send().await?;
            assert_eq!((reply.status, reply.header("cache-control")), (200, "public, max-age=31536000, immutable"), "{name}");
        }
        Ok(())
    })
}

/// The local stack has no IAM, so the requests that pages make are looked up in the template.
#[test]
fn the_site_needs_no_right_that_the_template_does_not_give_it() -> Outcome {
    let proxy = &Proxy::start()?;
    let setup = Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() };
    with_setup(setup, async |world| {
        let market = busy_market(world).await?;
        world.sweep().await?;
        proxy.record();
        let listing = format!("/listings/{}", market.listing.slug);
        let (seller, buyer) = (format!("/agents/{}", market.seller.profile_id), format!("/agents/{}", market.buyer.profile_id));
        for path in ["/", "/marketplace?q=line", &listing, &seller, &buyer, "/status", "/sitemap.xml", "/docs/overview"] {
            assert_eq!(page(&world.client, path).await?.status, 200, "{path}");
        }
        let used: BTreeSet<_> = proxy.recorded().iter().flat_map(|(operation, request)| rights_for(operation, request)).collect();
        let allowed = rights_of("Site")?;
        let missing: Vec<String> = used.difference(&allowed).map(ToString::to_string).collect();
        assert_eq!(missing, Vec::<String>::new());
        let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        for private in ["KEY#*", "SESSION#*", "CALL#*", "BUYER#*", "WALLET#*", "Put", "Delete", "Transact"] {
            assert!(!allowed.iter().any(|right| right.contains(private)), "{private}: {allowed:?}");
        }
        Ok(())
    })
}
