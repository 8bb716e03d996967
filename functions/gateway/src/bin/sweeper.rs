//! The scheduled function that finishes what buyers leave.

use crochet::app::{self, App};
use crochet_gateway::{State, sweep};
use lambda_runtime::{Error, LambdaEvent, service_fn};

/// The schedule's event; its contents do not matter.
#[derive(serde::Deserialize)]
struct Tick {}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = app::start();
    let state = &State::connect(App::unconnected(config).await).await?;
    lambda_runtime::run(service_fn(async |_: LambdaEvent<Tick>| -> Result<(), Error> {
        // A failed sweep shows in the function's error metric; the next one starts over.
        let swept = sweep::sweep(state).await.map_err(|e| e.operator_message().unwrap_or("a sweep failed").to_owned())?;
        tracing::info!(?swept, "sweep");
        Ok(())
    }))
    .await
}
