//! Patterns in schemas.

use crochet_tests::{Outcome, Replies, shared, text};
use serde_json::json;

#[test]
fn patterns_of_ordinary_length_are_accepted_and_checked() -> Outcome {
    shared(async |world| {
        for (pattern, good, bad) in [
            (r"^\w{1,2000}$", "w".repeat(2_000), "w".repeat(2_001)),
            ("^[0-9a-f]{64,8192}$", "0f".repeat(4_096), "0".repeat(63)),
            (r"^(\S+ ?){1,500}$", "word ".repeat(100), " word".to_owned()),
            ("^.{1,5000}$", "é".repeat(5_000), "é".repeat(5_001)),
        ] {
            let mut fields = world.paid_fields(&json!(1), "/echo");
            fields["input_schema"] = json!({ "type": "string", "pattern": pattern });
            let seller = world.agent().await?;
            let listing = seller.create_listing(&fields).await?;
            let buyer = world.agent().await?;
            buyer.call(&listing.id, &json!(good)).send().await?.refused(402, "PAYMENT_REQUIRED");
            buyer.call(&listing.id, &json!(bad)).send().await?.refused(422, "INPUT_SCHEMA_MISMATCH");
        }
        Ok(())
    })
}

#[test]
fn a_pattern_that_cannot_run_is_refused_with_its_construct_or_size_and_what_to_use_instead() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        for (pattern, named, instead) in [
            ("^(?=.*a)b", "look-around", "allOf"),
            ("^(?!admin)", "look-around", "not"),
            (r"(a)\1", "back reference", "alternatives"),
            ("((a{1000}){1000}){1000}", "8 MiB", "maxLength"),
        ] {
            let mut fields = world.free_fields("/echo");
            fields["input_schema"] = json!({ "properties": { "code": { "type": "string", "pattern": pattern } } });
            let reply = seller.try_create_listing(&fields).await?;
            let message = text(reply.refused(400, "INVALID_SCHEMA"), "message");
            assert!(message.contains("/properties/code/pattern"), "{message}");
            assert!(message.contains(named) && message.contains(instead), "{message}");
        }
        Ok(())
    })
}
