//! `cargo run`: the local stack.

use std::process::ExitCode;

use crochet_local::banner::Banner;
use crochet_local::cli::{self, Command};
use crochet_local::{Options, Stack, bench, demo, generate, ledger_check, restore_drill, smoke_test};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), String> {
    let arguments = cli::parse(std::env::args().skip(1))?;
    let data = arguments.data.clone();
    let options = Options { data: data.clone(), ..Options::from_env()? };
    match arguments.command {
        Command::Generate { check } => generate::run(check),
        Command::Help => {
            print!("{}", cli::USAGE);
            Ok(())
        }
        Command::Demo => demo::play(options).await.map_err(|unexpected| unexpected.to_string()),
        Command::Smoke { url } => {
            let client = crochet_client::Client::new(url.trim_end_matches('/'));
            smoke_test::run(&client, smoke_test::ENDPOINT).await.map_err(|unexpected| unexpected.to_string())
        }
        Command::Bench { listings } => bench::catalog(listings).await,
        Command::LedgerCheck { endpoint, table } => {
            let (endpoint, table) = (endpoint.unwrap_or_else(|| options.dynamodb_url()), table.unwrap_or(options.table));
            ledger_check::run(&endpoint, &table).await
        }
        Command::RestoreDrill => restore_drill::play(&options).await,
        Command::ColdStart => bench::cold_start().await,
        Command::Parts => {
            let stack = Stack::start(Options { routers: false, ..options }).await?;
            for (name, value) in stack.env() {
                println!("export {name}='{value}'");
            }
            until_stopped(stack).await
        }
        Command::Everything => {
            let stack = Stack::start(options).await?;
            match Banner::prepare(&stack, data.as_deref()).await {
                Ok(banner) => println!("{banner}"),
                // The stack keeps running, so that the cause can be investigated.
                Err(unexpected) => eprintln!("Crochet is running, but the demo listing could not be created: {unexpected}"),
            }
            // After the banner, so that the banner is printed first.
            crochet::telemetry::start();
            until_stopped(stack).await
        }
    }
}

/// Waits for SIGINT or SIGTERM, then stops everything.
async fn until_stopped(stack: Stack) -> Result<(), String> {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
            .map_err(|error| format!("signals cannot be received: {error}"))?;
        tokio::select! {
            _ = interrupted => {}
            _ = terminated.recv() => {}
        }
    }
    #[cfg(not(unix))]
    {
        let _ = interrupted.await;
    }
    stack.stop().await;
    Ok(())
}
