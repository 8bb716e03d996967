//! Documents for machines: `openapi.json` and the API reference, compared with the service's behavior.

use std::collections::BTreeSet;

use crochet_tests::{Outcome, shared, text};
use http::Method;
use serde_json::{Value, json};

#[test]
fn openapi_3_1_is_served_under_both_names() -> Outcome {
    shared(async |world| {
        let one = world.client.site(Method::GET, "/api/v1/openapi.json").send().await?;
        let two = world.client.site(Method::GET, "/api/openapi.json").send().await?;
        assert_eq!((one.status, two.status), (200, 200), "{}", one.text());
        assert_eq!(one.body, two.body);
        assert!(text(&one.json, "openapi").starts_with("3.1"), "{}", one.json["openapi"]);
        Ok(())
    })
}

#[test]
fn openapi_is_the_file_in_the_repository() -> Outcome {
    shared(async |world| {
        let reply = world.client.site(Method::GET, "/api/v1/openapi.json").send().await?;
        let file = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json"))?;
        // Examples name the deployment's own URL.
        let file = String::from_utf8(file)?.replace("{PUBLIC_URL}", world.client.base());
        let kept: Value = serde_json::from_str(&file)?;
        let stale: Vec<String> = reply.json["paths"]
            .as_object()
            .into_iter()
            .flatten()
            .flat_map(|(path, operations)| operations.as_object().into_iter().flatten().map(move |operation| (path, operation)))
            .filter(|(path, (method, operation))| kept["paths"][path.as_str()][method.as_str()] != **operation)
            .map(|(path, (method, _))| format!("{method} {path}"))
            .collect();
        assert!(stale.is_empty(), "docs/openapi.json is stale: cargo run -- generate. Other than served: {stale:?}");
        assert!(
            reply.json["paths"] == kept["paths"],
            "docs/openapi.json describes routes that are not served: cargo run -- generate"
        );
        Ok(())
    })
}

#[test]
fn every_route_of_openapi_answers_and_every_route_of_the_seeds_is_there() -> Outcome {
    shared(async |world| {
        let reply = world.client.site(Method::GET, "/api/v1/openapi.json").send().await?;
        let paths = reply.json["paths"].as_object().cloned().unwrap_or_default();
        for (path, operations) in &paths {
            for method in operations.as_object().into_iter().flatten().map(|(method, _)| method.to_uppercase()) {
                let Ok(method) = Method::from_bytes(method.as_bytes()) else { continue };
                let at = path.replace("{provider}", "relay").replace(['{', '}'], "");
                let answer = world.client.site(method.clone(), &at).send().await?;
                assert_ne!(answer.code(), "NOT_FOUND", "{method} {path} is described and not there");
                assert_ne!(answer.status, 405, "{method} {path} is described and not there");
            }
        }
        let known: BTreeSet<String> = paths
            .iter()
            .flat_map(|(path, operations)| {
                let methods: Vec<String> = operations.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
                let path = path.split('{').next().unwrap_or_default().trim_end_matches('/').to_owned();
                methods.into_iter().map(move |method| format!("{method} {path}"))
            })
            .collect();
        let seeds = [
            "get /api/v1/health",
            "post /api/v1/auth/challenge",
            "post /api/v1/register",
            "post /api/v1/auth/recover",
            "get /api/v1/me",
            "patch /api/v1/me",
            "get /api/v1/api-keys",
            "post /api/v1/api-keys",
            "delete /api/v1/api-keys",
            "get /api/v1/agents",
            "get /api/v1/categories",
            "get /api/v1/listings",
            "post /api/v1/listings",
            "post /api/v1/listings/challenge",
            "patch /api/v1/listings",
            "delete /api/v1/listings",
            "post /api/v1/gateway",
            "get /api/v1/gateway-requests",
            "get /api/v1/ledger",
        ];
        for route in seeds {
            assert!(known.contains(route), "{route} is not described");
        }
        Ok(())
    })
}

#[test]
fn every_error_links_to_an_anchor_that_is_there() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let replies = [
            world.client.get("/me").send().await?,
            world.client.get("/nowhere").send().await?,
            world.client.get("/listings").query("limit", 0).send().await?,
            market.call(&json!({})).send().await?,
            market.call_raw("{").send().await?,
            market.call(&json!({})).currency("BTC").send().await?,
            market.call(&json!({})).paid_with("0xab").send().await?,
        ];
        for reply in replies {
            let url = text(&reply.error()["recovery"], "reference_url");
            let (page, anchor) = url.split_once('#').unwrap_or((url, ""));
            let path = page.splitn(4, '/').nth(3).unwrap_or_default();
            let document = world.client.site(Method::GET, &format!("/{path}")).send().await?;
            assert_eq!(document.status, 200, "{page}");
            assert!(document.text().contains(anchor), "{anchor} is not in {page}");
        }
        Ok(())
    })
}

#[test]
fn documents_for_machines_are_served() -> Outcome {
    shared(async |world| {
        for path in ["/", "/docs/api-reference.txt"] {
            let reply = world.client.site(Method::GET, path).send().await?;
            assert_eq!(reply.status, 200, "{path}");
            assert!(!reply.header("x-request-id").is_empty() && reply.text().contains("/api/v1"), "{path}");
        }
        Ok(())
    })
}
