//! A page of another origin, in Chromium, uses the API with `fetch` alone.

use crochet_tests::{Failure, Outcome, Program, shared, text};
use serde_json::json;

#[test]
fn a_page_of_another_origin_registers_browses_and_calls() -> Outcome {
    let Some((program, chromium)) = Program::browser("other_origin.mjs") else { return Ok(()) };
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let query = text(&market.listing.data["listing"], "name").to_owned();
        let input = json!({ "base": world.client.base(), "chromium": chromium, "query": query });
        let seen =
            tokio::task::spawn_blocking(move || program.run(&input)).await.map_err(|error| Failure::new(error.to_string()))??;
        let expected = json!({
            "origin": "https://page.example",
            "registered": 201,
            "found": 1,
            "request_id": true,
            "called": { "status": 200, "echo": { "from": "a page" } },
            "refused": { "status": 401, "code": "UNAUTHORIZED" },
            "suggested": "/api/v1/listings",
            "me": "A page",
            "session": "hidden",
        });
        assert_eq!(seen, expected, "{seen:#}");
        Ok(())
    })
}
