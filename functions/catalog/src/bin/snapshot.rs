//! The scheduled writer of the catalogue's snapshot.

use crochet::app;
use crochet::clock::Clock;
use crochet::store::Store;
use crochet_catalog::snapshot::{self, DueOr};
use lambda_runtime::{Error, LambdaEvent, service_fn};

/// What the schedule sends: nothing of it counts.
#[derive(serde::Deserialize)]
struct Tick {}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = app::start();
    let (store, clock) = (&Store::of(&config).await, &Clock::system());
    lambda_runtime::run(service_fn(async |_: LambdaEvent<Tick>| -> Result<(), Error> {
        // A run that fails is told by the function's error metric; the next one begins anew.
        let outcome = snapshot::write(store, clock, DueOr::Not).await?;
        tracing::info!(?outcome, "snapshot");
        Ok(())
    }))
    .await
}
