//! The life of a listing: drafts, suspensions by seller and operator, warnings, and a stable slug.

use crochet_tests::{Outcome, Replies, list, shared, text};
use serde_json::{Value, json};

#[test]
fn what_the_operator_suspended_its_owner_cannot_lift() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let path = format!("/listings/{}", market.listing.id);
        let quote = market.paid(&json!({ "n": 1 })).await?;
        market.suspend_as_operator().await?;
        let shown = world.client.get(&path).send().await?.ok(200)["listing"].clone();
        assert_eq!((text(&shown, "status"), text(&shown, "suspended_by")), ("suspended", "operator"));
        let lift = market.seller.patch(&path).json(&json!({ "status": "active" })).send().await?;
        lift.refused(409, "LISTING_SUSPENDED");
        let withdrawn = market.seller.delete(&path).send().await?;
        assert_eq!(withdrawn.ok(200)["listing"]["suspended_by"], "operator", "it is not made the owner's own");
        market.call(&json!({ "n": 2 })).send().await?.refused(409, "LISTING_NOT_ACTIVE");
        // A settled call is delivered all the same.
        market.redeem(&quote, &json!({ "n": 1 })).await?.ok(200);
        // Its text and its endpoint stay the owner's to mend.
        market.seller.patch(&path).json(&json!({ "description": "Mended." })).send().await?.ok(200);
        let endpoint = market.seller.put(&format!("{path}/endpoint")).json(&json!({ "timeout_ms": 5_000 })).send().await?;
        endpoint.ok(200);
        assert_eq!(world.client.get(&path).send().await?.ok(200)["listing"]["suspended_by"], "operator");
        Ok(())
    })
}

#[test]
fn a_slug_stays_whatever_changes_and_nobody_else_gets_it() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let path = format!("/listings/{}", market.listing.id);
        let slug = market.listing.slug.as_str();
        let name = market.listing.data["listing"]["name"].clone();
        for change in [
            json!({ "name": "Entirely different" }),
            json!({ "pricing_model": "free" }),
            json!({ "status": "suspended" }),
            json!({ "status": "active" }),
        ] {
            let reply = market.seller.patch(&path).json(&change).send().await?;
            assert_eq!(reply.ok(200)["listing"]["slug"], slug, "{change}");
            assert_eq!(world.client.get(&format!("/listings/{slug}")).send().await?.ok(200)["listing"]["id"], market.listing.id);
        }
        let mut fields = world.free_fields("/echo");
        fields["name"] = name;
        let other = market.buyer.create_listing(&fields).await?;
        assert_ne!(other.slug, slug, "the name it once had makes no claim, the slug does");
        Ok(())
    })
}

#[test]
fn warnings_come_with_a_change_as_with_creation() -> Outcome {
    shared(async |world| {
        let codes = |data: &Value| -> Vec<String> {
            list(data, "warnings").iter().map(|warning| text(warning, "code").to_owned()).collect()
        };
        let market = world.market(5.0).await?;
        assert_eq!(codes(&market.listing.data), ["ENDPOINT_UNTESTED"]);
        let path = format!("/listings/{}", market.listing.id);
        market.seller.post(&format!("{path}/endpoint/test")).send().await?.ok(200);
        let cheaper = market.seller.patch(&path).json(&json!({ "pricing_amount": 0.001 })).send().await?;
        assert_eq!(codes(cheaper.ok(200)), ["PRICE_BELOW_ROUTE_MINIMUM"]);
        let payable = list(&cheaper.data()["listing"], "payable_with");
        assert!(!payable.is_empty() && payable.iter().all(|currency| currency != "ETH" && currency != "USDC"), "{payable:?}");
        let free = market.seller.patch(&path).json(&json!({ "pricing_model": "free" })).send().await?;
        assert!(codes(free.ok(200)).is_empty() && list(&free.data()["listing"], "payable_with").is_empty());
        let evm = world.evm_agent().await?.create_listing(&world.paid_fields(&json!(5), "/echo")).await?;
        assert_eq!(codes(&evm.data), ["ENDPOINT_UNTESTED", "NO_SOLANA_PAYOUT_WALLET"]);
        Ok(())
    })
}

#[test]
fn a_draft_keeps_the_rules_of_its_pricing_and_is_gone_with_its_endpoint() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let mut fields = world.paid_fields(&json!(1), "/echo");
        fields["status"] = "draft".into();
        let mut bare = fields.clone();
        bare.as_object_mut().and_then(|fields| fields.remove("private_endpoint_url"));
        seller.try_create_listing(&bare).await?.refused(400, "ENDPOINT_REQUIRED");
        let draft = seller.create_listing(&fields).await?;
        let path = format!("/listings/{}", draft.id);
        for status in ["suspended", "gone"] {
            let reply = seller.patch(&path).json(&json!({ "status": status })).send().await?;
            assert!(matches!(reply.code(), "STATUS_CHANGE_REFUSED" | "INVALID_REQUEST"), "{}", reply.text());
        }
        seller.get(&format!("{path}/endpoint")).send().await?.ok(200);
        assert_eq!(seller.delete(&path).send().await?.ok(200)["deleted"], true);
        for route in ["endpoint", "endpoint/test", "endpoint/rotate-secret"] {
            let method = if route == "endpoint" { http::Method::GET } else { http::Method::POST };
            seller.request(method, &format!("{path}/{route}")).send().await?.refused(404, "LISTING_NOT_FOUND");
        }
        Ok(())
    })
}
