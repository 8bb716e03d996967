//! The programs of docs/paying, as they are served: they pay in the sandbox with signed transactions, and a chain takes what they send.

use std::process::Command;

use crochet_tests::{
    Agent, Directory, EvmChain, Failure, Market, Outcome, Quote, Replies, Wallet, World, number, python, shared, text,
};
use http::Method;
use serde_json::{Value, json};

/// A program of the page and its interpreter, in a directory where its libraries are found.
struct PayProgram {
    directory: Directory,
    interpreter: std::path::PathBuf,
    name: &'static str,
}

impl PayProgram {
    /// Fetches a program. `None` if its libraries are not installed.
    async fn fetch(world: &World, name: &'static str) -> Result<Option<Self>, Failure> {
        let (directory, interpreter) = if name.ends_with(".py") {
            let Some(python) = python() else { return Ok(None) };
            (Directory::new()?, python)
        } else {
            let Some(directory) = Directory::with_node_modules()? else { return Ok(None) };
            (directory, "node".into())
        };
        let source = world.client.site(Method::GET, &format!("/docs/paying/{name}")).send().await?;
        assert_eq!(source.status, 200, "{name}");
        directory.write(name, &source.body)?;
        Ok(Some(Self { directory, interpreter, name }))
    }

    /// The command that pays `402.json` with this wallet.
    fn command(&self, wallet: &Wallet) -> Result<Command, Failure> {
        let mut command = Command::new(&self.interpreter);
        command.args([self.name, "402.json"]).env("MAX_USD", "2").env_remove("CROCHET_SANDBOX_URL");
        if self.name.starts_with("solana") {
            let public = bs58::decode(wallet.address()).into_vec()?;
            self.directory.write("wallet.json", json!([wallet.secret().to_vec(), public].concat()).to_string())?;
        } else {
            command.env("EVM_PRIVATE_KEY", format!("0x{}", hex::encode(wallet.secret())));
        }
        Ok(command)
    }

    fn save(&self, quote: &Quote) -> Outcome {
        let _ = std::fs::remove_file(self.directory.path().join("402.json.signed"));
        self.directory.write("402.json", &quote.reply.body)
    }

    /// Runs it and reads what it prints.
    fn pay(&self, command: &mut Command) -> Result<Value, Failure> {
        Ok(serde_json::from_str(&self.directory.run(command)?)?)
    }
}

/// A market whose buyer has this wallet, and whose seller is paid on the other chain, so that every currency has a route.
async fn market<'a>(world: &'a World, wallet: &Wallet) -> Result<Market<'a>, Failure> {
    let buyer: Agent = world.client.register(wallet, "Paying").await?;
    let seller = if wallet.currency() == "SOL" { world.evm_agent().await? } else { world.agent().await? };
    let path = world.echo_path();
    market_fields(world, buyer, seller, &path).await
}

async fn market_fields<'a>(world: &'a World, buyer: Agent, seller: Agent, path: &str) -> Result<Market<'a>, Failure> {
    world.market_of(buyer, seller, &world.paid_fields(&json!(1.0), path), path).await
}

/// The program pays in each currency; the call is delivered then, and a second run pays nothing more.
async fn pays(world: &World, name: &'static str, wallet: Wallet, currencies: [&str; 2]) -> Outcome {
    let Some(program) = PayProgram::fetch(world, name).await? else { return Ok(()) };
    let market = market(world, &wallet).await?;
    for (n, currency) in currencies.into_iter().enumerate() {
        let body = json!({ "currency": currency });
        let quote = Quote::of(market.call(&body).currency(currency).send().await?);
        program.save(&quote)?;
        let mut command = program.command(&wallet)?;
        if n == 0 {
            refuses_what_it_should_not_pay(&program, &wallet, &quote)?;
            program.save(&quote)?;
        }
        let paid = program.pay(command.env("CROCHET_SANDBOX_URL", world.sandbox.base()))?;
        assert_eq!(text(&paid, "relay_request_id"), quote.id, "{name} {currency}");
        let delivered = market.call(&body).paid_with(&quote.id).send().await?;
        assert_eq!(number(&delivered.ok(200)["charged_amount"], "amount_micros"), 1_000_000, "{name} {currency}");
        if n > 0 {
            continue;
        }
        // The sandbox refuses a second deposit, and the program sends the same transactions.
        let again = program.pay(&mut command).err().map(|failure| format!("{failure:?}")).unwrap_or_default();
        assert!(again.contains("has a deposit already"), "{name} {currency}: {again}");
    }
    Ok(())
}

/// It costs more than allowed, another wallet must pay, or the time is over: nothing is signed.
fn refuses_what_it_should_not_pay(program: &PayProgram, wallet: &Wallet, quote: &Quote) -> Outcome {
    let refuses = |command: &mut Command, because: &str| {
        let said = program.directory.run(command).err().map(|failure| format!("{failure:?}")).unwrap_or_default();
        assert!(said.contains(because), "{}: {because} is not in {said}", program.name);
        assert!(!program.directory.path().join("402.json.signed").exists(), "{because}");
    };
    refuses(program.command(wallet)?.env("MAX_USD", "0.5"), "more than MAX_USD");
    let other = if wallet.currency() == "SOL" { Wallet::solana() } else { Wallet::evm() };
    refuses(&mut program.command(&other)?, "must pay");
    let changed = |pointer: &str, value: Value| -> Result<String, Failure> {
        let mut reply = quote.reply.json.clone();
        *reply.pointer_mut(pointer).ok_or_else(|| Failure::new(pointer))? = value;
        Ok(reply.to_string())
    };
    program.directory.write("402.json", changed("/data/payment/expires_at", json!("2026-01-01T00:00:00.000Z"))?)?;
    refuses(&mut program.command(wallet)?, "has expired");
    program.directory.write("402.json", changed("/data/payment/requirements", Value::Null)?)?;
    refuses(&mut program.command(wallet)?, "is closing");
    if wallet.currency() != "SOL" {
        program.directory.write("402.json", changed("/data/payment/requirements/pay/amount", json!("1"))?)?;
        refuses(&mut program.command(wallet)?, "more than requirements.pay says");
    }
    Ok(())
}

/// What the program sends to a node gets into the chain, once, and is what the sandbox takes.
async fn pays_on_a_chain(world: &World, name: &'static str) -> Outcome {
    let Some(chain) = EvmChain::shared() else { return Ok(()) };
    let Some(program) = PayProgram::fetch(world, name).await? else { return Ok(()) };
    let wallet = Wallet::evm();
    let market = market(world, &wallet).await?;
    chain.ask("anvil_setBalance", json!([wallet.address(), "0xde0b6b3a7640000"])).await?;
    let quote = Quote::of(market.call(&json!({ "n": 1 })).currency("ETH").send().await?);
    program.save(&quote)?;
    let mut command = program.command(&wallet)?;
    command.env("EVM_RPC_URL", chain.url());
    let paid = program.pay(&mut command)?;
    let receipt = chain.ask("eth_getTransactionReceipt", json!([paid["transaction_ids"][0]])).await?;
    assert_eq!(receipt["status"], "0x1", "{receipt}");
    assert_eq!(program.pay(&mut command)?, paid, "a second run sends the same transaction");
    let count = chain.ask("eth_getTransactionCount", json!([wallet.address(), "latest"])).await?;
    assert_eq!(count, "0x1");
    let transactions: Value = serde_json::from_str(&program.directory.read("402.json.signed")?)?;
    let deposit = world.sandbox.request(Method::POST, "/sandbox/pay").json(&json!({ "transactions": transactions })).send().await?;
    assert_eq!(deposit.status, 200, "{}", deposit.text());
    market.redeem(&quote, &json!({ "n": 1 })).await?.ok(200);
    Ok(())
}

#[test]
fn the_python_program_pays_from_a_solana_wallet() -> Outcome {
    shared(async |world| pays(world, "solana.py", Wallet::solana(), ["SOL", "USDC_SOL"]).await)
}

#[test]
fn the_javascript_program_pays_from_a_solana_wallet() -> Outcome {
    shared(async |world| pays(world, "solana.mjs", Wallet::solana(), ["SOL", "USDC_SOL"]).await)
}

#[test]
fn the_python_program_pays_from_an_evm_wallet() -> Outcome {
    shared(async |world| {
        pays(world, "evm.py", Wallet::evm(), ["ETH", "USDC"]).await?;
        pays_on_a_chain(world, "evm.py").await
    })
}

#[test]
fn the_javascript_program_pays_from_an_evm_wallet() -> Outcome {
    shared(async |world| {
        pays(world, "evm.mjs", Wallet::evm(), ["ETH", "USDC"]).await?;
        pays_on_a_chain(world, "evm.mjs").await
    })
}
