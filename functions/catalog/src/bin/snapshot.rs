//! The scheduled function that writes the catalogue's snapshot.

use crochet::app;
use crochet::clock::Clock;
use crochet::store::Store;
use crochet_catalog::snapshot_writer::{self, Schedule};
use lambda_runtime::{Error, LambdaEvent, service_fn};

/// The schedule's event; its contents do not matter.
#[derive(serde::Deserialize)]
struct Tick {}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = app::start();
    let (store, clock) = (&Store::of(&config).await, &Clock::system());
    lambda_runtime::run(service_fn(async |_: LambdaEvent<Tick>| -> Result<(), Error> {
        // A failed run shows in the function's error metric; the next run starts over.
        let outcome = snapshot_writer::write(store, clock, Schedule::IfDue).await?;
        tracing::info!(?outcome, "snapshot");
        Ok(())
    }))
    .await
}
