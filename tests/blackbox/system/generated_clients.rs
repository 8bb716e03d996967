//! Clients that generators made of the OpenAPI document: each makes one paid call. `cargo xtask test` generates them.

use crochet_tests::{Outcome, Program, Replies, shared, text};
use serde_json::json;

fn pays(program: Option<Program>) -> Outcome {
    let Some(program) = program else { return Ok(()) };
    shared(async |world| {
        let market = world.market(0.25).await?;
        let body = json!({ "text": "The quick brown fox." });
        let input = json!({
            "base": world.client.base(),
            "sandbox": world.sandbox.base(),
            "api_key": market.buyer.api_key,
            "listing": market.listing.id,
            "body": body,
        });
        let said = program.run(&input)?;
        assert_eq!((&said["charged_micros"], &said["error"]), (&json!(250_000), &json!("LISTING_NOT_FOUND")), "{said}");
        assert_eq!(said["steps"], 1);
        let call = market.buyer.get(&format!("/gateway-requests/{}", text(&said, "request_id"))).send().await?;
        assert_eq!(call.ok(200)["gateway_request"]["charge"]["state"], "charged");
        let received = market.received(text(&said, "request_id")).await?;
        assert_eq!(received.len(), 1, "the seller was called once");
        assert!(!said["seller_response"].is_null(), "{said}");
        Ok(())
    })
}

#[test]
fn openapi_typescript() -> Outcome {
    pays(Program::generated_javascript("typescript/pay.js"))
}

#[test]
fn openapi_python_client() -> Outcome {
    pays(Program::generated_python("openapi-python-client", "pay_python_client.py"))
}

#[test]
fn openapi_generator_for_python() -> Outcome {
    pays(Program::generated_python("openapi-generator-python", "pay_openapi_generator.py"))
}

#[test]
fn openapi_generator_for_go() -> Outcome {
    pays(Program::generated_binary("openapi-generator-go/pay"))
}
