//! The scheduled function that deletes secrets which nobody names any more.

use crochet::app::{self, App};
use crochet_listings::secret_sweep::SecretSweeper;
use lambda_runtime::{Error, LambdaEvent, service_fn};

/// The schedule's event; its contents do not matter.
#[derive(serde::Deserialize)]
struct Tick {}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = app::start();
    let sweeper = &SecretSweeper::connect(App::unconnected(config).await).await;
    lambda_runtime::run(service_fn(async |_: LambdaEvent<Tick>| -> Result<(), Error> {
        // A failed sweep shows in the function's error metric; the next one starts over.
        let swept = sweeper.sweep().await?;
        tracing::info!(?swept, "secrets swept");
        Ok(())
    }))
    .await
}
