//! `GET /gateway-requests/:id/receipt`: buyer and seller fetch it, and a stranger verifies it.

use crochet_tests::{Failure, Market, Outcome, Program, Replies, World, isolated, list, members, shared, text};
use serde_json::{Value, json};

/// The receipt of a delivered call, and the keys, as a stranger reads them.
async fn receipt(world: &World, market: &Market<'_>) -> Result<(Value, Value), Failure> {
    let (quote, _) = market.buy(&json!({ "n": 1 })).await?;
    let id = text(&market.row(&quote.id).await?, "id").to_owned();
    let path = format!("/gateway-requests/{id}/receipt");
    let bought = market.buyer.get(&path).send().await?;
    let sold = market.seller.get(&path).send().await?;
    assert_eq!(bought.ok(200), sold.ok(200), "the same call, the same receipt");
    Ok((bought.data()["receipt"].clone(), keys(world).await?))
}

async fn keys(world: &World) -> Result<Value, Failure> {
    Ok(world.client.site(http::Method::GET, "/.well-known/jwks.json").send().await?.json)
}

fn claims(program: &Program, jws: &str, jwks: &Value) -> Result<Value, Failure> {
    Ok(program.run(&json!({ "jws": jws, "jwks": jwks }))?["claims"].clone())
}

async fn judged(world: &World, program: &Program) -> Outcome {
    let market = world.market(1.0).await?;
    let (receipt, jwks) = receipt(world, &market).await?;
    let jws = text(&receipt, "jws");
    let said = claims(program, jws, &jwks)?;
    let expected = [
        ("buyer_id", json!(market.buyer.profile_id)),
        ("seller_id", json!(market.seller.profile_id)),
        ("status", json!("delivered")),
        ("price_micros", json!(1_000_000)),
        ("fee_micros", json!(49_000)),
    ];
    for (name, value) in expected {
        assert_eq!(said[name], value, "{name}");
    }
    assert!(text(&said, "iss").starts_with("http://localhost:"));
    assert!(text(&said, "sub").starts_with("gw_req_") && text(&said["payment"], "id").starts_with("0x"));
    assert!(["request_sha256", "response_sha256"].iter().all(|name| text(&said, name).len() == 64));
    // A changed byte does not verify, wherever it is. The last character of a part has bits that do not count.
    let parts: Vec<&str> = jws.split('.').collect();
    for (part, at) in [(0, 12), (1, 20), (2, 8)] {
        let mut changed: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        let other = if changed[part].as_bytes()[at] == b'A' { "B" } else { "A" };
        changed[part].replace_range(at..=at, other);
        assert_eq!(claims(program, &changed.join("."), &jwks)?, Value::Null, "part {part}");
    }
    Ok(())
}

#[test]
fn a_python_library_verifies_a_receipt() -> Outcome {
    let Some(program) = Program::python("receipt.py") else { return Ok(()) };
    shared(async |world| judged(world, &program).await)
}

#[test]
fn a_javascript_library_verifies_a_receipt() -> Outcome {
    let Some(program) = Program::javascript("receipt.mjs") else { return Ok(()) };
    shared(async |world| judged(world, &program).await)
}

#[test]
fn only_the_parties_of_a_call_that_has_ended_get_its_receipt() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let quote = market.quote(&json!({ "n": 1 })).await?;
        let id = text(&market.row(&quote.id).await?, "id").to_owned();
        let path = format!("/gateway-requests/{id}/receipt");
        let open = market.buyer.get(&path).send().await?;
        assert_eq!(open.refused(409, "RECEIPT_NOT_READY")["details"]["status"], "quoted");
        world.agent().await?.get(&path).send().await?.refused(404, "CALL_NOT_FOUND");
        world.client.get(&path).send().await?.refused(401, "UNAUTHORIZED");
        market.buyer.get("/gateway-requests/gw_req_x/receipt").send().await?.refused(404, "CALL_NOT_FOUND");
        Ok(())
    })
}

#[test]
fn a_new_key_is_shown_before_it_signs_and_the_old_one_stays() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let (first, before) = receipt(world, &market).await?;
        assert_eq!(list(&before, "keys").len(), 1);
        let key = &before["keys"][0];
        assert_eq!(members(key), ["alg", "crv", "kid", "kty", "use", "x", "y"], "nothing private");
        assert_eq!(key["kid"], first["kid"]);
        assert!(world.admin("rotate-keys receipts").await?.contains("new key"));
        world.later(11 * 60).await?;
        let (second, shown) = receipt(world, &market).await?;
        assert_eq!((list(&shown, "keys").len(), &second["kid"]), (2, &first["kid"]), "shown, and not used yet");
        world.later(3_600).await?;
        let (third, after) = receipt(world, &market).await?;
        assert_eq!((&after, &third["kid"]), (&shown, &shown["keys"][1]["kid"]));
        Ok(())
    })
}

#[test]
fn files_for_registries_say_what_was_counted() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        market.buy(&json!({ "n": 1 })).await?;
        super::review(&market.buyer, &market.listing.id, 4).await?.ok(201);
        world.sweep().await?;
        let file = async |name: &str| -> Result<Value, Failure> {
            let path = format!("/agents/{}/erc8004/{name}.json", market.seller.profile_id);
            Ok(world.client.get(&path).send().await?.json)
        };
        let registration = file("registration").await?;
        assert_eq!(registration["type"], "https://eips.ethereum.org/EIPS/eip-8004#registration-v1");
        assert_eq!((&registration["active"], list(&registration, "services").len()), (&json!(true), 2));
        let feedback = file("feedback").await?;
        let said: Vec<(Value, Value)> =
            list(&feedback, "feedback").iter().map(|f| (f["tag1"].clone(), f["value"].clone())).collect();
        assert_eq!((said[0].clone(), said.len()), ((json!("successRate"), json!(10_000)), 3));
        assert_eq!(said[2], (json!("starred"), json!(8_000)));
        Ok(())
    })
}

#[test]
fn the_marketplace_shows_its_totals() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let empty = world.client.get("/stats").send().await?;
        assert_eq!((&empty.ok(200)["stats"]["calls_30d"], &empty.data()["stats"]["days"]), (&json!(0), &json!([])));
        market.buy(&json!({ "n": 1 })).await?;
        world.sweep().await?;
        world.later(3_600).await?;
        world.sweep().await?;
        let total = world.client.get("/stats").send().await?;
        let listing = world.client.get(&format!("/listings/{}/stats", market.listing.id)).send().await?;
        for stats in [&total.ok(200)["stats"], &listing.ok(200)["stats"]] {
            assert_eq!((&stats["calls_30d"], &stats["payers_30d"]), (&json!(1), &json!(1)));
            assert_eq!((list(stats, "days").len(), &stats["days"][0]["delivered"]), (1, &json!(1)));
        }
        Ok(())
    })
}
