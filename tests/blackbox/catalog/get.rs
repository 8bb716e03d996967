//! `GET /listings/:id`.

use crochet_tests::{Outcome, Replies, is_time, is_uuid, members, shared, text};
use http::Method;
use serde_json::json;

const MEMBERS: [&str; 31] = [
    "auth_method",
    "category",
    "connection_instructions",
    "created_at",
    "delivery_type",
    "description",
    "example_request",
    "example_response",
    "formats",
    "gateway_url",
    "id",
    "input_schema",
    "name",
    "output_schema",
    "endpoint_tested",
    "endpoint_tested_at",
    "owes",
    "payable_with",
    "price",
    "pricing_amount",
    "pricing_currency",
    "pricing_model",
    "rating",
    "seller",
    "slug",
    "stats",
    "status",
    "suspended_by",
    "suspended_reason",
    "tags",
    "updated_at",
];

#[test]
fn a_listing_has_the_shape_of_the_contract() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let reply = world.client.get(&format!("/listings/{}", market.listing.id)).send().await?;
        assert_eq!(members(reply.ok(200)), ["listing"]);
        let listing = &reply.data()["listing"];
        // The four that are marked with a question mark may be left out.
        let optional = ["input_schema", "output_schema", "example_request", "example_response"];
        for member in MEMBERS.into_iter().filter(|member| !optional.contains(member)) {
            assert!(listing.get(member).is_some(), "{member} is missing: {listing}");
        }
        for member in members(listing) {
            assert!(MEMBERS.contains(&member.as_str()), "{member} is not in the contract");
        }
        assert!(is_uuid(&listing["id"]) && is_time(&listing["created_at"]) && is_time(&listing["updated_at"]));
        assert_eq!(members(&listing["seller"]), ["claimed", "display_name", "id", "is_verified", "score", "tier"]);
        assert_eq!(listing["seller"]["id"], market.seller.profile_id);
        assert_eq!(listing["rating"], json!({ "average": null, "count": 0 }));
        assert_eq!(
            members(&listing["stats"]),
            [
                "calls_30d",
                "last_called_at",
                "median_price_paid_30d",
                "p50_latency_ms",
                "p95_latency_ms",
                "payers_30d",
                "success_rate_30d",
                "success_sample_30d",
            ]
        );
        assert_eq!(listing["price"], json!({ "amount_cents": 100, "amount_micros": 1_000_000, "currency": "USD" }));
        assert_eq!((&listing["pricing_amount"], &listing["pricing_currency"]), (&json!(1), &json!("USD")));
        let gateway = text(listing, "gateway_url");
        assert!(gateway.ends_with(&format!("/api/v1/gateway/{}", market.listing.id)) && gateway.starts_with("http"), "{gateway}");
        Ok(())
    })
}

#[test]
fn a_listing_answers_by_uuid_and_by_slug() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let by_id = world.client.get(&format!("/listings/{}", market.listing.id)).send().await?;
        let by_slug = world.client.get(&format!("/listings/{}", market.listing.slug)).send().await?;
        assert_eq!(by_id.ok(200), by_slug.ok(200));
        let head = world.client.request(Method::HEAD, &format!("/listings/{}", market.listing.id)).send().await?;
        assert_eq!((head.status, head.body.len()), (200, 0));
        Ok(())
    })
}

#[test]
fn an_unknown_listing_is_404() -> Outcome {
    shared(async |world| {
        for id in ["0198c0de-0000-7000-8000-000000000000", "no-such-slug", "x%20y", "LISTING%23x"] {
            world.client.get(&format!("/listings/{id}")).send().await?.refused(404, "LISTING_NOT_FOUND");
        }
        Ok(())
    })
}

#[test]
fn a_draft_is_404_to_everyone_but_its_owner() -> Outcome {
    shared(async |world| {
        let (seller, other) = (world.agent().await?, world.agent().await?);
        let mut fields = world.paid_fields(&json!(1), "/echo");
        fields["status"] = "draft".into();
        let draft = seller.create_listing(&fields).await?;
        for name in [&draft.id, &draft.slug] {
            let path = format!("/listings/{name}");
            world.client.get(&path).send().await?.refused(404, "LISTING_NOT_FOUND");
            other.get(&path).send().await?.refused(404, "LISTING_NOT_FOUND");
            assert_eq!(seller.get(&path).send().await?.ok(200)["listing"]["status"], "draft");
        }
        Ok(())
    })
}

#[test]
fn a_suspended_listing_still_answers_by_id() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let path = format!("/listings/{}", market.listing.id);
        market.seller.delete(&path).send().await?;
        let reply = world.client.get(&path).send().await?;
        assert_eq!(reply.ok(200)["listing"]["status"], "suspended");
        assert_eq!(reply.data()["listing"]["suspended_by"], "owner");
        Ok(())
    })
}

#[test]
fn a_private_endpoint_url_or_a_secret_never_appears() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let path = format!("/listings/{}", market.listing.id);
        for reply in [
            world.client.get(&path).send().await?,
            market.seller.get(&path).send().await?,
            market.seller.get("/listings").query("seller", "me").send().await?,
        ] {
            reply.ok(200);
            assert!(!reply.text().contains(&market.listing.signing_secret) && !reply.text().contains(&market.path));
        }
        assert!(!market.listing.data.to_string().contains(&market.path), "not even on creation");
        Ok(())
    })
}

#[test]
fn payable_with_names_the_currencies_that_reach_the_seller() -> Outcome {
    shared(async |world| {
        let (solana, evm) = (world.agent().await?, world.evm_agent().await?);
        let of = |price: f64| world.paid_fields(&json!(price), "/echo");
        let currencies = async |seller: &crochet_tests::Agent, price: f64| -> Result<String, crochet_tests::Failure> {
            Ok(seller.create_listing(&of(price)).await?.data["listing"]["payable_with"].to_string())
        };
        assert_eq!(currencies(&solana, 1.0).await?, r#"["SOL","ETH","USDC"]"#);
        assert_eq!(currencies(&evm, 1.0).await?, r#"["SOL","USDC_SOL","ETH"]"#);
        // Small prices: EVM routes have a minimum.
        assert_eq!(currencies(&evm, 0.01).await?, r#"["SOL","USDC_SOL"]"#);
        let free = solana.create_listing(&world.free_fields("/echo")).await?;
        assert_eq!(free.data["listing"]["payable_with"], json!([]));
        Ok(())
    })
}
