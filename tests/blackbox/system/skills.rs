//! The commands of the skills, run as they are served: one buys a call, the other puts an endpoint on offer.

use std::path::PathBuf;
use std::process::Command;

use crochet_tests::{Directory, Failure, Outcome, Replies, World, blocks, list, number, python, shared, text, unique_name};
use http::Method;
use serde_json::{Value, json};

/// What the skills say they need, besides Python.
const NEEDED: [&str; 4] = ["bash", "curl", "jq", "openssl"];

/// The skill's blocks as one script, and what runs it. `None` if this machine lacks a program that they need.
async fn script(world: &World, name: &str) -> Result<Option<(Directory, Command)>, Failure> {
    let Some(python) = python() else { return Ok(None) };
    let found =
        |program: &&str| std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|at| at.join(program).is_file());
    if let Some(missing) = NEEDED.iter().find(|program| !found(program)) {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "the skills need {missing}");
        println!("not run: this machine has no {missing}");
        return Ok(None);
    }
    let skill = world.client.site(Method::GET, &format!("/.well-known/agent-skills/{name}/SKILL.md")).send().await?;
    let script = blocks(&skill.text(), "bash").concat();
    let directory = Directory::new()?;
    directory.write("script.sh", format!("set -euo pipefail\n{script}"))?;
    let path: Vec<PathBuf> = python
        .parent()
        .map(PathBuf::from)
        .into_iter()
        .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()))
        .collect();
    let mut command = Command::new("bash");
    command.arg("script.sh").env("PATH", std::env::join_paths(path)?);
    Ok(Some((directory, command)))
}

fn json_of(directory: &Directory, name: &str) -> Result<Value, Failure> {
    Ok(serde_json::from_str(&directory.read(name)?)?)
}

#[test]
fn the_buyers_skill_buys_a_call() -> Outcome {
    shared(async |world| {
        let Some((directory, mut command)) = script(world, "crochet").await? else { return Ok(()) };
        let name = format!("Word counter {}", unique_name());
        let path = world.echo_path();
        let mut fields = world.paid_fields(&json!(1.0), &path);
        fields["name"] = name.clone().into();
        fields["example_request"] = json!({ "text": "one two" });
        let market = world.market_of(world.agent().await?, world.evm_agent().await?, &fields, &path).await?;
        command.env("QUERY", &name).env("CROCHET_SANDBOX_URL", world.sandbox.base());
        let said = directory.run(&mut command)?;
        let reply = json_of(&directory, "reply.json")?;
        assert_eq!(reply["data"]["seller_response"]["echo"], json!({ "text": "one two" }), "{said}");
        assert_eq!(number(&reply["data"]["charged_amount"], "amount_micros"), 1_000_000);
        let key = directory.read("authorization")?;
        let calls = world.client.get("/gateway-requests").header("authorization", key.trim()).send().await?;
        let row = &list(calls.ok(200), "gateway_requests")[0];
        assert_eq!((text(row, "status"), text(&row["listing"], "id")), ("delivered", market.listing.id.as_str()));
        // A second run finds wallet, key and call, and pays nothing more.
        directory.run(&mut command)?;
        assert_eq!(json_of(&directory, "reply.json")?, reply);
        let calls = world.client.get("/gateway-requests").header("authorization", key.trim()).send().await?;
        assert_eq!(list(calls.ok(200), "gateway_requests").len(), 1);
        Ok(())
    })
}

#[test]
fn the_sellers_skill_puts_an_endpoint_on_offer() -> Outcome {
    shared(async |world| {
        let Some((directory, mut command)) = script(world, "crochet-sell").await? else { return Ok(()) };
        let name = format!("Counter {}", unique_name());
        let path = world.echo_path();
        command.env("NAME", &name).env("ENDPOINT_URL", world.seller.url(&path));
        let said = directory.run(&mut command)?;
        let secret = directory.read("signing-secret")?;
        world.seller.add_secret(secret.trim(), &path).await?;
        // A second run uses wallet, key and listing again, and the endpoint knows the secret now.
        directory.run(&mut command)?;
        assert_eq!(json_of(&directory, "test.json")?["data"]["test"]["ok"], true, "{said}");
        let id = directory.read("listing-id")?;
        let listing = world.client.get(&format!("/listings/{}", id.trim())).send().await?;
        assert_eq!(text(&listing.ok(200)["listing"], "name"), name);
        assert_eq!(listing.ok(200)["listing"]["status"], "active");
        Ok(())
    })
}
