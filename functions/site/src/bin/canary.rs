//! The scheduled function that looks whether the deployment answers.

use crochet_site::canary;
use lambda_runtime::{Error, LambdaEvent, service_fn};

/// The schedule's event; its contents do not matter.
#[derive(serde::Deserialize)]
struct Tick {}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    crochet::telemetry::start();
    let url = &std::env::var("CROCHET_PUBLIC_URL").unwrap_or_default();
    lambda_runtime::run(service_fn(async |_: LambdaEvent<Tick>| -> Result<(), Error> {
        // A wrong answer shows in the function's error metric. Two runs with one start the alarm.
        canary::ask(url).await.inspect_err(|cause| tracing::error!(%cause, "canary"))?;
        Ok(())
    }))
    .await
}
