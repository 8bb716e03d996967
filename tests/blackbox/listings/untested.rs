//! Endpoints that were never tested: on offer, but marked wherever the listing is shown.

use crochet_tests::{Market, Outcome, Replies, World, is_time, list, shared, text};
use serde_json::{Value, json};

/// What the reply to a change, the seller's list, the public listing and the public list say of the endpoint.
async fn seen(world: &World, market: &Market<'_>) -> Result<Vec<bool>, crochet_tests::Failure> {
    let path = format!("/listings/{}", market.listing.id);
    let warns = |warnings: &Value| warnings.as_array().into_iter().flatten().any(|warning| warning["code"] == "ENDPOINT_UNTESTED");
    let tested = |listing: &Value| {
        assert_eq!(listing["endpoint_tested"] == true, is_time(&listing["endpoint_tested_at"]), "{listing}");
        listing["endpoint_tested"] == true
    };
    let own = market.seller.get("/listings").query("seller", "me").send().await?;
    let own = list(own.ok(200), "listings").iter().find(|own| own["id"] == market.listing.id.as_str()).cloned().unwrap_or_default();
    let changed = market.seller.patch(&path).json(&json!({ "tags": ["tested"] })).send().await?;
    let read = world.client.get(&path).send().await?;
    let found = world.client.get("/listings").query("seller", &market.seller.profile_id).send().await?;
    let found = found.ok(200)["listings"][0].clone();
    assert!(read.ok(200)["listing"].get("warnings").is_none() && found.get("warnings").is_none(), "warnings are the seller's");
    Ok(vec![
        !warns(&own["warnings"]),
        tested(&own),
        !warns(&changed.ok(200)["warnings"]),
        tested(&read.data()["listing"]),
        tested(&found),
    ])
}

#[test]
fn an_untested_endpoint_is_marked_until_a_test_succeeds_and_after_one_fails() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let path = format!("/listings/{}", market.listing.id);
        let test = async || -> Outcome {
            market.seller.post(&format!("{path}/endpoint/test")).send().await?.ok(200);
            Ok(())
        };
        assert_eq!(seen(world, &market).await?, [false; 5]);
        test().await?;
        assert_eq!(seen(world, &market).await?, [true; 5]);
        // Another endpoint is another matter.
        let moved = json!({ "private_endpoint_url": world.seller.url("/fail/503") });
        market.seller.put(&format!("{path}/endpoint")).json(&moved).send().await?.ok(200);
        assert_eq!(seen(world, &market).await?, [false; 5]);
        test().await?;
        assert_eq!(seen(world, &market).await?, [false; 5]);
        let back = json!({ "private_endpoint_url": world.seller.url(&market.path) });
        market.seller.put(&format!("{path}/endpoint")).json(&back).send().await?.ok(200);
        test().await?;
        test().await?;
        assert_eq!(seen(world, &market).await?, [true; 5]);
        Ok(())
    })
}

#[test]
fn a_draft_is_not_warned_about_before_it_goes_active() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let mut fields = world.paid_fields(&json!(1), "/echo");
        fields["status"] = "draft".into();
        let draft = seller.create_listing(&fields).await?;
        assert!(list(&draft.data, "warnings").is_empty(), "{}", draft.data);
        let path = format!("/listings/{}", draft.id);
        let active = seller.patch(&path).json(&json!({ "status": "active" })).send().await?;
        let message = text(&list(active.ok(200), "warnings")[0], "message");
        assert!(message.contains(&format!("{path}/endpoint/test")), "{message}");
        Ok(())
    })
}

#[test]
fn what_is_said_of_a_url_is_what_this_deployment_allows() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let mut fields = world.paid_fields(&json!(1), "/echo");
        fields["private_endpoint_url"] = "ftp://seller.example".into();
        let reply = seller.try_create_listing(&fields).await?;
        let error = reply.refused(400, "ENDPOINT_URL_REFUSED");
        for told in [text(error, "message"), text(&error["recovery"], "summary")] {
            assert!(told.contains("http and https, loopback"), "{told}");
        }
        Ok(())
    })
}
