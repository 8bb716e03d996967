//! `POST /listings`.

use crochet_tests::{Outcome, Replies, Setup, Wallet, World, is_time, list, members, shared, text, with_setup};
use serde_json::{Value, json};

/// A paid listing's fields, with changes.
fn changed(world: &World, change: &Value) -> Value {
    let mut fields = world.paid_fields(&json!(1), "/echo");
    for (name, value) in change.as_object().into_iter().flatten() {
        fields[name] = value.clone();
    }
    fields
}

#[test]
fn a_new_listing_answers_201_with_its_endpoint_and_a_secret_shown_once() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let reply = seller.try_create_listing(&world.paid_fields(&json!(1), "/echo")).await?;
        let data = reply.ok(201);
        assert_eq!(members(data), ["gateway_endpoint", "listing", "warnings"]);
        let warnings: Vec<&str> = list(data, "warnings").iter().map(|warning| text(warning, "code")).collect();
        assert_eq!(warnings, ["ENDPOINT_UNTESTED"]);
        let endpoint = &data["gateway_endpoint"];
        let expected = json!({
            "listing_id": data["listing"]["id"], "status": "active", "timeout_ms": 15_000, "max_response_bytes": 262_144,
            "rate_limit_per_minute": null, "auth_header_names": [], "previous_secret_expires_at": null, "last_test": null,
        });
        for (member, value) in expected.as_object().into_iter().flatten() {
            assert_eq!(&endpoint[member], value, "gateway_endpoint.{member}");
        }
        assert!(endpoint.get("secret_version").is_some() && is_time(&endpoint["secret_created_at"]));
        let secret = text(endpoint, "signing_secret").strip_prefix("whsec_").unwrap_or_default();
        assert!(secret.len() == 44 && secret.ends_with('='), "base64 of 32 bytes");
        Ok(())
    })
}

#[test]
fn what_leave_out_has_defaults() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let data = seller.create_listing(&world.paid_fields(&json!(1), "/echo")).await?.data;
        let expected = json!({ "category": "other", "delivery_type": "api", "auth_method": "none", "formats": ["json"],
            "status": "active", "tags": [], "suspended_by": null, "suspended_reason": null, "owes": null });
        for (member, value) in expected.as_object().into_iter().flatten() {
            assert_eq!(&data["listing"][member], value, "{member}");
        }
        Ok(())
    })
}

#[test]
fn what_is_said_is_kept() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let said = json!({
            "description": "Line one.\nLine two: Ünïcödé 🦀.", "category": "data", "tags": ["weather", "cities"], "delivery_type": "batch",
            "auth_method": "bearer", "formats": ["json", "csv"], "connection_instructions": "Ask nicely.",
            "input_schema": { "type": "object", "required": ["city"] }, "output_schema": { "type": "object" },
            "example_request": { "city": "Ulm", "n": [1, 2.5, null] }, "example_response": { "sunny": true }, "status": "draft",
        });
        let listing = seller.create_listing(&changed(world, &said)).await?;
        let read = seller.get(&format!("/listings/{}", listing.id)).send().await?;
        for (member, value) in said.as_object().into_iter().flatten() {
            assert_eq!(&read.ok(200)["listing"][member], value, "{member}");
        }
        Ok(())
    })
}

#[test]
fn two_listings_of_one_name_have_two_slugs() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let fields = world.free_fields("/echo");
        let (one, two) = (seller.create_listing(&fields).await?, seller.create_listing(&fields).await?);
        assert_ne!(one.slug, two.slug);
        let odd = seller.create_listing(&changed(world, &json!({ "name": "天気 予報" }))).await?;
        assert!(!odd.slug.is_empty());
        world.client.get(&format!("/listings/{}", odd.slug)).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn fields_have_limits_and_the_refusal_names_the_field() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let wrong = [
            ("name", json!("ab")),
            ("name", json!("x".repeat(81))),
            ("name", json!("   ab   ")),
            ("name", json!(7)),
            ("name", Value::Null),
            ("name", json!("tab\u{0}here")),
            ("description", json!("")),
            ("description", json!("x".repeat(4_001))),
            ("pricing_model", json!("monthly")),
            ("pricing_model", Value::Null),
            ("category", json!("no-such-category")),
            ("delivery_type", json!("pigeon")),
            ("auth_method", json!("magic")),
            ("status", json!("suspended")),
            ("tags", json!("one")),
            ("tags", json!((0..500).map(|n| format!("t{n}")).collect::<Vec<_>>())),
            ("tags", json!(["x".repeat(500)])),
            ("formats", json!([7])),
        ];
        for (field, value) in wrong {
            let reply = seller.try_create_listing(&changed(world, &json!({ field: value }))).await?;
            let error = reply.refused(400, "INVALID_REQUEST");
            assert!(error.to_string().contains(field), "{field} = {value}: {error}");
        }
        for (field, value) in [("name", "abc".to_owned()), ("name", "ü".repeat(80)), ("description", "x".repeat(4_000))] {
            seller.try_create_listing(&changed(world, &json!({ field: value }))).await?.ok(201);
        }
        Ok(())
    })
}

#[test]
fn name_description_and_pricing_model_are_required() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        for field in ["name", "description", "pricing_model"] {
            let mut fields = world.free_fields("/echo");
            if let Some(members) = fields.as_object_mut() {
                members.remove(field);
            }
            let reply = seller.try_create_listing(&fields).await?;
            assert!(reply.refused(400, "INVALID_REQUEST").to_string().contains(field), "{}", reply.text());
        }
        Ok(())
    })
}

#[test]
fn per_call_requires_private_endpoint_url() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let fields = json!({ "name": "No endpoint", "description": "x", "pricing_model": "per_call", "pricing_amount": 1 });
        seller.try_create_listing(&fields).await?.refused(400, "ENDPOINT_REQUIRED");
        Ok(())
    })
}

#[test]
fn only_sellers_list() -> Outcome {
    shared(async |world| {
        let fields = json!({ "display_name": "Buyer", "role": "buyer" });
        let buyer = world.client.register_with(&Wallet::solana(), &fields).await?;
        buyer.post("/listings/challenge").send().await?.refused(403, "ROLE_REQUIRED");
        let mut body = world.free_fields("/echo");
        body["pow_nonce"] = "0".into();
        buyer.post("/listings").json(&body).send().await?.refused(403, "ROLE_REQUIRED");
        world.client.post("/listings").json(&body).send().await?.refused(401, "UNAUTHORIZED");
        Ok(())
    })
}

#[test]
fn schemas_must_be_json_schema_2020_12_that_can_be_checked_here() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let bad = [
            json!({ "type": "nonsense" }),
            json!({ "type": "object", "required": "city" }),
            json!({ "pattern": "(" , "type": "string" }),
            json!({ "$ref": "https://example.org/schema.json" }),
            json!({ "$ref": "file:///etc/passwd" }),
            json!("object"),
            json!(7),
        ];
        for schema in bad {
            let reply = seller.try_create_listing(&changed(world, &json!({ "input_schema": schema }))).await?;
            assert_eq!((reply.status, reply.code()), (400, "INVALID_SCHEMA"), "{schema}: {}", reply.text());
            reply.refused(400, "INVALID_SCHEMA");
        }
        let good = json!({ "$defs": { "n": { "type": "integer" } }, "properties": { "n": { "$ref": "#/$defs/n" } }, "x-own": { "any": 1 } });
        seller.try_create_listing(&changed(world, &json!({ "input_schema": good }))).await?.ok(201);
        Ok(())
    })
}

#[test]
fn twenty_listings_per_profile_unless_the_operator_allows_more() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_MAX_LISTINGS", "3"), ("CROCHET_RATE_LIMITS", "")]), async |world| {
        let seller = world.agent().await?;
        let mut drafts = Vec::new();
        for _ in 0..3 {
            let mut fields = world.free_fields("/echo");
            fields["status"] = "draft".into();
            drafts.push(seller.create_listing(&fields).await?);
        }
        seller.try_create_listing(&world.free_fields("/echo")).await?.refused(409, "LISTING_LIMIT_REACHED");
        // The way out.
        seller.delete(&format!("/listings/{}", drafts[0].id)).send().await?;
        seller.try_create_listing(&world.free_fields("/echo")).await?.ok(201);
        Ok(())
    })
}

#[test]
fn a_call_may_go_to_public_https_only() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_INSECURE_ENDPOINTS", "0")]), async |world| {
        let seller = world.agent().await?;
        let own = world.client.base().replace("http://", "https://");
        let bad = [
            "http://example.com/x",
            "https://127.0.0.1/x",
            "https://localhost/x",
            "https://[::1]/x",
            "https://0x7f000001/x",
            "https://2130706433/x",
            "https://10.0.0.1/x",
            "https://169.254.169.254/latest/meta-data",
            "https://8.8.8.8/x",
            "https://user:secret@example.com/x",
            "https://example.com:8443/x",
            "https://example.com/x#fragment",
            "ftp://example.com/x",
            "file:///etc/passwd",
            "//example.com/x",
            "nonsense",
            "",
            &own,
        ];
        for url in bad {
            let mut fields = world.paid_fields(&json!(1), "/x");
            fields["private_endpoint_url"] = url.into();
            let reply = seller.try_create_listing(&fields).await?;
            assert!(matches!(reply.code(), "ENDPOINT_URL_REFUSED" | "INVALID_REQUEST"), "{url}: {}", reply.text());
            let code = reply.code().to_owned();
            reply.refused(400, &code);
            assert!(url.len() < 9 || !reply.text().contains(url), "the URL is told back: {}", reply.text());
        }
        Ok(())
    })
}
