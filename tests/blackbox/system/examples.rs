//! The examples of `docs/examples.json`: recorded from real traffic, complete, and valid by the schemas of the document.

mod agents;
mod calls;
mod people;
mod reviews;
mod sellers;

use crochet_tests::{Outcome, Setup, World, examples, with_setup};
use http::Method;
use serde_json::Value;

fn document() -> Value {
    serde_json::from_str(include_str!("../../../docs/openapi.json")).expect("docs/openapi.json is JSON")
}

#[test]
fn every_operation_has_a_kept_example_that_its_schemas_accept() {
    let kept: Value = serde_json::from_str(examples::KEPT).expect("docs/examples.json is JSON");
    let faults = examples::faults(&document(), &kept);
    assert!(faults.is_empty(), "run `cargo xtask record-examples`:\n{}", faults.join("\n"));
}

#[test]
fn the_kept_examples_are_what_the_service_replies() -> Outcome {
    let setup =
        Setup { settings: vec![("CROCHET_POW_DIFFICULTY", "4".into())], observer: Some(examples::record), ..Setup::default() };
    with_setup(setup, async |world| {
        documents(world).await?;
        let seller = sellers::sell(world).await?;
        let buyer = agents::join(world).await?;
        calls::buy(world, &seller, &buyer).await?;
        reviews::review(world, &seller, &buyer).await?;
        people::operate(world, &buyer).await?;
        let recorded = examples::recorded(world);
        let faults = examples::faults(&document(), &recorded);
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        if examples::keep(&recorded)? {
            return Ok(());
        }
        let kept: Value = serde_json::from_str(examples::KEPT)?;
        for (operation, example) in recorded.as_object().into_iter().flatten() {
            let is_same = examples::same_shape(example, &kept[operation]);
            assert!(is_same, "{operation} has changed: run `cargo xtask record-examples`\n{example:#}");
        }
        Ok(())
    })
}

async fn documents(world: &World) -> Outcome {
    let client = &world.client;
    let paths = [
        "/",
        "/api/v1",
        "/api/v1/openapi.json",
        "/api/openapi.json",
        "/docs/api-reference.txt",
        "/docs/verify-signatures.md",
        "/api/v1/health",
    ];
    for path in paths {
        client.site(Method::GET, path).send().await?;
    }
    Ok(())
}
