//! A person's pages in Chromium with a virtual authenticator: from signing up to logging out everywhere.

use std::path::Path;

use crochet_tests::{Failure, Outcome, Program, isolated};
use serde_json::json;

fn shots() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/site-shots/account").display().to_string()
}

#[test]
fn a_person_signs_up_claims_an_agent_reads_its_books_and_ends_everything() -> Outcome {
    let Some((program, chromium)) = Program::browser("account.mjs") else { return Ok(()) };
    isolated(async |world| {
        world.at_noon().await?;
        let market = world.market(0.25).await?;
        let input = json!({
            "base": world.client.base(),
            "chromium": chromium,
            "sandbox": world.sandbox.base(),
            "listing": market.listing.id,
            "shots": shots(),
        });
        let seen =
            tokio::task::spawn_blocking(move || program.run(&input)).await.map_err(|error| Failure::new(error.to_string()))??;
        println!("{} runs of axe-core", seen["runs"]);
        assert_eq!(seen["faults"], json!([]), "{:#}", seen["faults"]);
        let walk = json!({
            "codes": 10,
            "signing_up_is_gone": true,
            "download": 10,
            "without_agents": true,
            "wallet_filled_in": true,
            "malformed": "kept",
            "claimed": true,
            "calls": ["delivered", "quoted"],
            "charges": ["charged $0.25", "none"],
            "spent": "$0.25",
            "statement": { "rows": 1, "amount": "-0.25", "name": true },
            "passkey_again": true,
            "key_works": 200,
            "new_codes": 10,
            "added_passkey": 2,
            "without_scripts": { "wrong_code": 401, "logged_in": true, "calls": 2, "asked_again": true, "ended_other": true },
            "sessions": 2,
            "after": { "account": "/login", "key": 401, "other": "/login" },
            "logged_in_again": true,
            "released": true,
            "claimed_by_evm": true,
        });
        assert_eq!(seen["walk"], walk, "{:#}", seen["walk"]);
        let keyboard = json!({ "signed_up": true, "unseen": [] });
        assert_eq!(seen["keyboard"], keyboard, "{:#}", seen["keyboard"]);
        Ok(())
    })
}
