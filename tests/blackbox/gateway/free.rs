//! `POST /gateway/:listingId` on free listings, and requests that are rejected before payment.

use crochet_tests::{Outcome, Replies, Wallet, at, isolated, list, number, shared, text};
use serde_json::json;

#[test]
fn a_free_call_is_forwarded_and_billable_false_with_zeros() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let body = json!({ "task": "run", "input": { "example": true } });
        let reply = market.call(&body).send().await?;
        let data = reply.ok(200);
        assert_eq!(data["billable"], false);
        assert_eq!(data["charged_amount"], json!({ "amount_cents": 0, "amount_micros": 0, "currency": "USD" }));
        for member in ["fee_amount_cents", "seller_receives_cents", "fee_amount_micros", "seller_receives_micros"] {
            assert_eq!(number(&data["fees"], member), 0, "{member}");
        }
        assert_eq!(data["seller_status_code"], 200);
        assert_eq!((at(data, "/seller_response/echo"), at(data, "/seller_response/verified")), (&body, &json!(true)));
        let id = text(data, "request_id");
        assert!(id.starts_with("gw_req_"), "{id}");
        let received = market.all_received().await?;
        assert_eq!(received.len(), 1);
        assert_eq!(received[0]["webhook_id"], id);
        Ok(())
    })
}

#[test]
fn no_or_bad_key_401() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let path = format!("/gateway/{}", market.listing.id);
        world.client.post(&path).json(&json!({})).send().await?.refused(401, "UNAUTHORIZED");
        world.client.post(&path).key("am_k_nonsense").json(&json!({})).send().await?.refused(401, "INVALID_API_KEY");
        assert!(market.all_received().await?.is_empty());
        Ok(())
    })
}

#[test]
fn unknown_listing_404() -> Outcome {
    shared(async |world| {
        let buyer = world.agent().await?;
        for id in ["0198c0de-0000-7000-8000-000000000000", "no-such-slug", "gw_req_1", "%20", "LISTING%23"] {
            buyer.call(id, &json!({})).send().await?.refused(404, "LISTING_NOT_FOUND");
        }
        Ok(())
    })
}

#[test]
fn not_active_409_and_a_draft_is_404_in_the_gateway_too() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        market.seller.delete(&format!("/listings/{}", market.listing.id)).send().await?;
        market.call(&json!({})).send().await?.refused(409, "LISTING_NOT_ACTIVE");
        let mut fields = world.free_fields("/echo");
        fields["status"] = "draft".into();
        let draft = market.seller.create_listing(&fields).await?;
        market.buyer.call(&draft.id, &json!({})).send().await?.refused(404, "LISTING_NOT_FOUND");
        assert!(market.all_received().await?.is_empty());
        Ok(())
    })
}

#[test]
fn no_endpoint_409_listing_has_no_gateway() -> Outcome {
    shared(async |world| {
        let (buyer, seller) = (world.agent().await?, world.agent().await?);
        let fields = json!({ "name": "No endpoint", "description": "x", "pricing_model": "free" });
        let listing = seller.create_listing(&fields).await?;
        buyer.call(&listing.id, &json!({})).send().await?.refused(409, "LISTING_HAS_NO_GATEWAY");
        Ok(())
    })
}

#[test]
fn only_buyers_call() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let fields = json!({ "display_name": "Seller", "role": "seller" });
        let seller = world.client.register_with(&Wallet::solana(), &fields).await?;
        seller.call(&market.listing.id, &json!({})).send().await?.refused(403, "ROLE_REQUIRED");
        Ok(())
    })
}

#[test]
fn uuid_or_slug_name_one_listing() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        market.buyer.call(&market.listing.slug, &json!({ "by": "slug" })).send().await?.ok(200);
        market.call(&json!({ "by": "id" })).send().await?.ok(200);
        assert_eq!(market.all_received().await?.len(), 2);
        Ok(())
    })
}

#[test]
fn a_zero_byte_body_on_a_free_listing_is_400_invalid_json() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        market.call_raw("").send().await?.refused(400, "INVALID_JSON");
        let path = format!("/gateway/{}", market.listing.id);
        market.buyer.post(&path).send().await?.refused(400, "INVALID_JSON");
        assert!(market.all_received().await?.is_empty());
        Ok(())
    })
}

#[test]
fn body_not_json_400_too_large_413() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let bad: [&[u8]; 8] = [
            b"task=run",
            b"{\"a\":1,\"a\":2}",
            b"{\"a\":{\"b\":1,\"\\u0062\":2}}",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":1e400}",
            b"{\"a\":\"\\ud800\"}",
            b"\xef\xbb\xbf{}",
            b"{\"a\":NaN}",
        ];
        for body in bad {
            let reply = market.call_raw(body).send().await?;
            assert_eq!((reply.status, reply.code()), (400, "INVALID_JSON"), "{}", String::from_utf8_lossy(body));
            reply.refused(400, "INVALID_JSON");
        }
        // 256 KiB are allowed, one byte more is not.
        let of_size = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
        market.call_raw(of_size(256 * 1024 + 1)).send().await?.refused(413, "PAYLOAD_TOO_LARGE");
        assert!(market.all_received().await?.is_empty());
        market.call_raw(of_size(256 * 1024)).send().await?;
        assert_eq!(list(&json!({ "c": market.all_received().await? }), "c").len(), 1);
        Ok(())
    })
}

#[test]
fn a_body_is_json_by_its_content_type_too() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let path = format!("/gateway/{}", market.listing.id);
        let request = market.buyer.post(&path).header("content-type", "text/plain").raw_body("{}");
        request.send().await?.refused(415, "UNSUPPORTED_MEDIA_TYPE");
        Ok(())
    })
}

#[test]
fn a_body_that_fails_input_schema_is_422_naming_the_paths() -> Outcome {
    shared(async |world| {
        let path = world.echo_path();
        let mut fields = world.free_fields(&path);
        fields["input_schema"] = json!({ "type": "object", "required": ["city"], "additionalProperties": false,
            "properties": { "city": { "type": "string" }, "days": { "type": "integer", "maximum": 7 } } });
        let market = world.market_with(&fields, &path).await?;
        for (body, trace) in [(json!({ "city": "Ulm", "days": 8 }), "/days"), (json!({ "city": 7 }), "/city"), (json!({}), "city")]
        {
            let reply = market.call(&body).send().await?;
            let error = reply.refused(422, "INPUT_SCHEMA_MISMATCH");
            assert!(error["details"].to_string().contains(trace), "{error}");
        }
        market.call(&json!({ "city": "Ulm", "days": 7.0 })).send().await?.ok(200);
        assert_eq!(market.all_received().await?.len(), 1);
        Ok(())
    })
}

#[test]
fn each_free_call_is_a_call_of_its_own_unless_a_key_names_it() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let body = json!({ "n": 1 });
        let (one, two) = (market.call(&body).send().await?, market.call(&body).send().await?);
        assert_ne!(one.ok(200)["request_id"], two.ok(200)["request_id"]);
        let first = market.call(&body).idempotency_key("mine").send().await?;
        first.ok(200);
        assert!(!first.is_replay());
        let again = market.call(&body).idempotency_key("mine").send().await?;
        again.ok(200);
        assert!(again.is_replay());
        assert_eq!(first.body, again.body, "byte for byte");
        assert_eq!(market.all_received().await?.len(), 3);
        market.call(&json!({ "n": 2 })).idempotency_key("mine").send().await?.refused(422, "IDEMPOTENCY_KEY_REUSED");
        Ok(())
    })
}

#[test]
fn a_failed_free_call_can_be_tried_again_under_its_key() -> Outcome {
    isolated(async |world| {
        let market = world.free_market("/flaky/1").await?;
        let body = json!({ "n": 1 });
        let error = market.call(&body).idempotency_key("again").send().await?.refused(502, "SELLER_ERROR").clone();
        assert_eq!((&error["details"]["settled"], &error["details"]["delivered"]), (&json!(false), &json!(false)));
        world.later(2).await?;
        let reply = market.call(&body).idempotency_key("again").send().await?;
        let id = text(reply.ok(200), "request_id").to_owned();
        let calls = market.received(&id).await?;
        assert_eq!(calls.len(), 2, "the same webhook-id on every attempt");
        assert_eq!(calls[1]["headers"]["x-crochet-attempt"], "2");
        Ok(())
    })
}

#[test]
fn a_free_call_stands_in_the_history_of_both_and_in_no_ledger() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let reply = market.call(&json!({ "n": 1 })).send().await?;
        let id = text(reply.ok(200), "request_id").to_owned();
        for agent in [&market.buyer, &market.seller] {
            let reply = agent.get(&format!("/gateway-requests/{id}")).send().await?;
            let row = &reply.ok(200)["gateway_request"];
            assert_eq!((&row["status"], &row["charge"]["state"]), (&json!("delivered"), &json!("none")));
            assert!(market.entries(agent, &id).await?.is_empty());
        }
        Ok(())
    })
}
