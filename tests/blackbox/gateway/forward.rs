//! What the seller receives of a call: the exact body, a signature and ids, nothing else.

use crochet_tests::{Outcome, Replies, shared, text};
use serde_json::{Value, json};

#[test]
fn any_json_value_is_a_body_and_travels_byte_for_byte() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let bodies = [
            "null",
            "true",
            "7",
            "\"text\"",
            "[]",
            "{}",
            " {\"b\" : 1.0,\n\t\"a\":[ 1e2 , 12345678901234567890123 ]}\r\n",
            "\"\\u00e9é\"",
        ];
        for body in bodies {
            let reply = market.call_raw(body).send().await?;
            assert_eq!(reply.ok(200)["seller_response"]["verified"], true, "{body}");
        }
        let received: Vec<String> = market.all_received().await?.iter().map(|call| text(call, "body").to_owned()).collect();
        assert_eq!(received, bodies);
        Ok(())
    })
}

#[test]
fn the_request_to_the_seller_is_signed_and_carries_ids_only() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let reply = market.call(&json!({ "n": 1 })).send().await?;
        let id = text(reply.ok(200), "request_id").to_owned();
        let call = &market.received(&id).await?[0];
        assert_eq!((&call["method"], &call["query"], &call["verified"]), (&json!("POST"), &Value::Null, &json!(true)));
        let headers = &call["headers"];
        assert_eq!(headers["webhook-id"], json!(id));
        assert!(text(headers, "webhook-signature").starts_with("v1,"));
        assert!(text(headers, "webhook-timestamp").parse::<i64>().is_ok());
        assert_eq!(headers["x-crochet-signature"], headers["webhook-signature"]);
        assert_eq!(headers["x-crochet-request-id"], json!(id));
        assert_eq!(headers["x-crochet-listing-id"], json!(market.listing.id));
        assert_eq!(headers["x-crochet-buyer-id"], json!(market.buyer.profile_id));
        assert_eq!(headers["x-crochet-attempt"], json!("1"));
        assert!(headers.get("x-crochet-test").is_none(), "this is no test call");
        assert!(text(headers, "content-type").starts_with("application/json"));
        Ok(())
    })
}

#[test]
fn nothing_else_of_the_buyers_request_travels() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let canaries = [
            ("cookie", "session=canary-1"),
            ("x-canary", "canary-2"),
            ("user-agent", "canary-3"),
            ("referer", "https://canary-4.example"),
            ("origin", "https://canary-5.example"),
            ("x-forwarded-for", "198.51.100.77"),
            ("forwarded", "for=198.51.100.78"),
            ("accept-language", "canary-6"),
            ("x-crochet-attempt", "canary-7"),
            ("x-crochet-test", "canary-8"),
            ("x-crochet-signature", "canary-9"),
            ("webhook-id", "canary-10"),
            ("webhook-signature", "canary-11"),
            ("idempotency-key", "canary-12"),
            ("traceparent", "00-canary13-1-01"),
            ("proxy-authorization", "canary-14"),
        ];
        let mut request = market.call(&json!({ "n": 1 })).query("canary", "canary-15");
        for (name, value) in canaries {
            request = request.header(name, value);
        }
        let reply = request.send().await?;
        // The query may be refused instead of ignored.
        if reply.status == 400 {
            reply.refused(400, "UNKNOWN_FIELD");
            return Ok(());
        }
        reply.ok(200);
        let calls = market.all_received().await?;
        let seen = calls[0]["header_list"].to_string();
        for trace in ["canary", "198.51.100", "am_k_", market.buyer.api_key.as_str(), market.buyer.wallet.address()] {
            assert!(!seen.contains(trace), "{trace} reached the seller: {seen}");
        }
        assert_eq!(calls[0]["query"], Value::Null);
        Ok(())
    })
}
