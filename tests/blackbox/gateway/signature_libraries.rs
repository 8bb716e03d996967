//! Standard Webhooks libraries in other languages verify forwarded requests.

use crochet_tests::{Failure, Outcome, Program, Replies, World, shared, text};
use serde_json::{Value, json};

/// A forwarded request, as received, with its secret.
async fn forwarded(world: &World) -> Result<Value, Failure> {
    let market = world.free_market(&world.echo_path()).await?;
    let body = "{ \"n\" : 1e2, \"text\":\"Grüße 🦀\",\n \"nested\" : {\"b\":[ ],\"a\":null} }";
    let reply = market.call_raw(body).send().await?;
    reply.ok(200);
    let calls = market.all_received().await?;
    let call = calls.first().ok_or_else(|| Failure::new("the seller received nothing"))?;
    Ok(json!({ "secret": market.listing.signing_secret, "headers": call["headers"], "body": text(call, "body") }))
}

/// The library accepts the request and rejects a modified one.
fn judged(program: &Program, mut input: Value) -> Outcome {
    assert_eq!(program.run(&input)?, json!({ "verified": true }));
    let body = text(&input, "body").replace("1e2", "1e3");
    input["body"] = body.into();
    assert_eq!(program.run(&input)?, json!({ "verified": false }));
    Ok(())
}

#[test]
fn the_python_library_verifies_a_forwarded_request() -> Outcome {
    let Some(program) = Program::python("verify.py") else { return Ok(()) };
    shared(async |world| judged(&program, forwarded(world).await?))
}

#[test]
fn the_javascript_library_verifies_a_forwarded_request() -> Outcome {
    let Some(program) = Program::javascript("verify.mjs") else { return Ok(()) };
    shared(async |world| judged(&program, forwarded(world).await?))
}
