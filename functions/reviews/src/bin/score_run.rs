//! The scheduled function that counts scores.

use crochet::app::{self, App};
use crochet_reviews::score::run;
use lambda_runtime::{Error, LambdaEvent, service_fn};

/// The schedule's event; its contents do not matter.
#[derive(serde::Deserialize)]
struct Tick {}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = app::start();
    let app = &App::connect(config).await;
    lambda_runtime::run(service_fn(async |_: LambdaEvent<Tick>| -> Result<(), Error> {
        // A failed run shows in the function's error metric; the next one starts over.
        let ran = run::run(app).await?;
        tracing::info!(?ran, "scores");
        Ok(())
    }))
    .await
}
