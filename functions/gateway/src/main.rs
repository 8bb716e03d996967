//! The gateway function: paid calls and their books.

use std::process::ExitCode;

use crochet::app::App;
use crochet::config::Config;
use crochet::http::service::finish;
use crochet_gateway::{State, router};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    crochet::telemetry::start();
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(e) => return stop(&e),
    };
    let app = App::connect(config).await;
    let state = match State::connect(app.clone()).await {
        Ok(state) => state,
        Err(e) => return stop(&e),
    };
    let (router, _) = router(state).split_for_parts();
    match lambda_http::run(finish(router, app)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => stop(&e),
    }
}

fn stop(why: &dyn std::fmt::Display) -> ExitCode {
    tracing::error!(cause = %why, "the gateway does not start");
    ExitCode::FAILURE
}
