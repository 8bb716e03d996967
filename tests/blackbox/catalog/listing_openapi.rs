//! `GET /listings/{id}/openapi.json`: a listing as an API of one operation.

use crochet_tests::{Outcome, Replies, World, shared, text};
use serde_json::{Value, json};

/// A paid listing with schemas that refer to themselves.
fn fields(world: &World) -> Value {
    let mut fields = world.paid_fields(&json!(0.25), "/echo");
    fields["input_schema"] = json!({
        "type": "object",
        "required": ["tree"],
        "properties": { "tree": { "$ref": "#/$defs/tree" } },
        "$defs": { "tree": { "type": "object", "properties": { "children": { "type": "array", "items": { "$ref": "#/$defs/tree" } } } } },
    });
    fields["output_schema"] = json!({ "type": "object", "required": ["received"] });
    fields["example_request"] = json!({ "tree": { "children": [] } });
    fields
}

#[test]
fn one_operation_has_the_listings_own_schemas_and_price() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let listing = seller.create_listing(&fields(world)).await?;
        let reply = world.client.get(&format!("/listings/{}/openapi.json", listing.slug)).send().await?;
        assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"), "{}", reply.text());
        let document = &reply.json;
        assert_eq!(text(document, "openapi"), "3.1.0");
        let paths = document["paths"].as_object().cloned().unwrap_or_default();
        assert_eq!(paths.len(), 1);
        let operation = &paths[&format!("/api/v1/gateway/{}", listing.id)]["post"];
        assert_eq!(operation["x-price"], json!({ "amount_cents": 25, "amount_micros": 250_000, "currency": "USD" }));
        assert!(text(operation, "description").starts_with("0.25 USD per call."), "{operation}");
        let media = &operation["requestBody"]["content"]["application/json"];
        assert_eq!(media["example"], json!({ "tree": { "children": [] } }));

        let schema = json!({ "$ref": media["schema"]["$ref"], "components": document["components"] });
        let schema = jsonschema::draft202012::new(&schema)?;
        assert!(schema.is_valid(&json!({ "tree": { "children": [{ "children": [] }] } })));
        assert!(!schema.is_valid(&json!({ "tree": { "children": [7] } })) && !schema.is_valid(&json!({})));
        let output = &operation["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["data"];
        assert_eq!(output["properties"]["seller_response"]["$ref"], "#/components/schemas/Output");
        assert_eq!(document["components"]["schemas"]["Output"]["required"], json!(["received"]));
        Ok(())
    })
}

#[test]
fn it_is_cached_like_the_listing_and_changes_with_it() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let listing = seller.create_listing(&fields(world)).await?;
        let path = format!("/listings/{}/openapi.json", listing.id);
        let first = world.client.get(&path).send().await?;
        let etag = first.header("etag").to_owned();
        assert_eq!((first.header("cache-control"), etag.is_empty()), ("no-cache", false));
        let same = world.client.get(&path).header("if-none-match", &etag).send().await?;
        assert_eq!((same.status, same.body.len()), (304, 0));
        seller.patch(&format!("/listings/{}", listing.id)).json(&json!({ "pricing_amount": 0.5 })).send().await?.ok(200);
        let changed = world.client.get(&path).header("if-none-match", &etag).send().await?;
        assert_eq!(changed.status, 200);
        Ok(())
    })
}

#[test]
fn drafts_are_their_owners_and_what_has_no_endpoint_has_no_api() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let mut draft = fields(world);
        draft["status"] = "draft".into();
        let draft = seller.create_listing(&draft).await?;
        let path = format!("/listings/{}/openapi.json", draft.id);
        world.client.get(&path).send().await?.refused(404, "LISTING_NOT_FOUND");
        assert_eq!(seller.get(&path).send().await?.status, 200);
        let free = json!({ "name": "Contact only", "description": "Ask me.", "pricing_model": "free" });
        let free = seller.create_listing(&free).await?;
        let reply = world.client.get(&format!("/listings/{}/openapi.json", free.id)).send().await?;
        reply.refused(409, "LISTING_HAS_NO_GATEWAY");
        world.client.get("/listings/no-such-listing/openapi.json").send().await?.refused(404, "LISTING_NOT_FOUND");
        Ok(())
    })
}
