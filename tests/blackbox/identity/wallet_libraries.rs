//! Wallets of independent libraries register and recover.

use crochet_tests::{Failure, Outcome, Program, Replies, World, shared, text};
use serde_json::{Value, json};

/// Registers and recovers with a library's wallet, which makes the key and every signature.
async fn joins(world: &World, program: &Program, chain: &str) -> Outcome {
    let wallet = program.run(&json!({ "chain": chain }))?;
    for (purpose, path, status) in [("register", "/register", 201), ("recover", "/auth/recover", 200)] {
        let challenge = world.client.challenge(text(&wallet, "address"), purpose, &Value::Null).await?;
        let request = json!({ "chain": chain, "secret": wallet["secret"], "message": challenge.message });
        let signed = program.run(&request)?;
        let work = challenge.pow.ok_or_else(|| Failure::new("no work"))?;
        let mut body = json!({
            "wallet_address": wallet["address"], "signature": signed["signature"], "nonce": challenge.nonce, "pow_nonce": work.solve(),
        });
        if purpose == "register" {
            body["display_name"] = "From Python".into();
        }
        let reply = world.client.post(path).json(&body).send().await?;
        let key = text(reply.ok(status), "api_key").to_owned();
        world.client.get("/me").key(&key).send().await?.ok(200);
    }
    Ok(())
}

#[test]
fn an_eth_account_wallet_registers_and_recovers() -> Outcome {
    let Some(program) = Program::python("wallet.py") else { return Ok(()) };
    shared(async |world| joins(world, &program, "evm").await)
}

#[test]
fn a_pynacl_wallet_registers_and_recovers() -> Outcome {
    let Some(program) = Program::python("wallet.py") else { return Ok(()) };
    shared(async |world| joins(world, &program, "solana").await)
}
