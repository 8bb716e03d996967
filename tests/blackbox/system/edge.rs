//! The deployment's edge: the address that it tells counts, and nobody else's word for one does.

use crochet_tests::{Failure, Outcome, Quote, Setup, World, with_setup};
use serde_json::{Value, json};

const SECRET: &str = "edge-secret-now";
const NEXT_SECRET: &str = "edge-secret-next";
/// The SHA-256 of both.
const HASHES: &str = "72104d4e1e1e016ad5314a22fe0c657d431c390fea08781766be1981738fae2f,\
                      77a67969cd4d0d035fde3e55ee980f5d5eda1f6a8324f7e639b9b67d647f8214";

fn setup(hashes: &str) -> Setup {
    Setup::settings(&[("CROCHET_RATE_LIMITS", "exact"), ("CROCHET_EDGE_SECRET_SHA256", hashes)])
}

/// How many reads are left to the address that a request with these headers counts for.
async fn left(world: &World, headers: &[(&str, &str)]) -> Result<i64, Failure> {
    let mut request = world.client.get("/categories");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let reply = request.send().await?;
    let left = reply.header("ratelimit").split("r=").nth(1).and_then(|rest| rest.split(';').next()?.parse().ok());
    left.ok_or_else(|| Failure::new(format!("no limit is told: {} {}", reply.status, reply.header("ratelimit"))))
}

#[test]
fn the_address_that_the_edge_tells_counts_with_its_secret() -> Outcome {
    with_setup(setup(HASHES), async |world| {
        world.at_a_minutes_start().await?;
        let own = left(world, &[]).await?;
        for (n, secret) in [SECRET, NEXT_SECRET].into_iter().enumerate() {
            for address in ["198.51.100.7", "2001:db8:1::7"] {
                let through = left(world, &[("x-crochet-edge-secret", secret), ("x-crochet-edge-address", address)]).await?;
                assert_eq!(through, own - i64::try_from(n)?, "{address} has a count of its own");
            }
        }
        // The whole /64 of an address counts as one, as without an edge.
        let neighbour = left(world, &[("x-crochet-edge-secret", SECRET), ("x-crochet-edge-address", "2001:db8:1::8")]).await?;
        assert_eq!(neighbour, own - 2);
        assert_eq!(left(world, &[]).await?, own - 1, "what came through the edge did not count for it");
        Ok(())
    })
}

#[test]
fn the_headers_of_the_edge_are_none_of_the_buyers() -> Outcome {
    with_setup(setup(HASHES), async |world| {
        let market = world.market(1.0).await?;
        let call = market.call(&json!({ "n": 1 })).header("x-crochet-curency", "SOL");
        let call = call.header("x-crochet-edge-secret", SECRET).header("x-crochet-edge-address", "198.51.100.7");
        let unknown: Value = Quote::of(call.send().await?).details()["unknown_headers"].clone();
        assert_eq!(unknown, json!(["x-crochet-curency"]));
        Ok(())
    })
}

#[test]
fn nobody_elses_word_for_an_address_counts() -> Outcome {
    with_setup(setup(HASHES), async |world| {
        world.at_a_minutes_start().await?;
        let mut own = left(world, &[]).await?;
        let address = ("x-crochet-edge-address", "198.51.100.7");
        let hash = HASHES.split(',').next().unwrap_or_default();
        for headers in [
            &[address][..],
            &[address, ("x-crochet-edge-secret", "")],
            &[address, ("x-crochet-edge-secret", "edge-secret-old")],
            &[address, ("x-crochet-edge-secret", hash)],
            &[address, ("x-crochet-edge-secret", SECRET), ("x-crochet-edge-secret", SECRET)],
            &[address, ("x-crochet-edge-secret", SECRET), ("x-crochet-edge-address", "198.51.100.8")],
            &[("x-crochet-edge-secret", SECRET)],
            &[("x-crochet-edge-secret", SECRET), ("x-crochet-edge-address", "198.51.100.7, 198.51.100.8")],
            &[("x-crochet-edge-secret", SECRET), ("x-crochet-edge-address", "somewhere")],
            &[("x-forwarded-for", "198.51.100.7"), ("x-crochet-edge-secret", SECRET)],
        ] {
            own -= 1;
            assert_eq!(left(world, headers).await?, own, "{headers:?}");
        }
        Ok(())
    })
}

#[test]
fn without_an_edge_no_secret_is_known() -> Outcome {
    with_setup(setup(""), async |world| {
        world.at_a_minutes_start().await?;
        let own = left(world, &[]).await?;
        // The hash of nothing, and what an edge would send.
        for secret in ["", SECRET] {
            left(world, &[("x-crochet-edge-secret", secret), ("x-crochet-edge-address", "198.51.100.7")]).await?;
        }
        assert_eq!(left(world, &[]).await?, own - 3);
        Ok(())
    })
}
