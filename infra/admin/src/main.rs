//! `crochet-admin`: the operator's commands. It reads the environment of a deployed function, and the operator's AWS credentials.

use std::process::ExitCode;

use crochet::app::App;
use crochet::config::Config;

#[tokio::main]
async fn main() -> ExitCode {
    match crochet_admin::run(std::env::args().skip(1), connect).await {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::FAILURE
        }
    }
}

async fn connect() -> Result<App, String> {
    let config = Config::from_env().map_err(|problem| problem.to_string())?;
    let app = App::unconnected(config).await;
    app.follow_clock().await;
    Ok(app)
}
