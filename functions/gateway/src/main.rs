//! The gateway function: calls and the ledger.

use crochet::app::App;
use crochet::http::{Error, serve};
use crochet_gateway::{State, router};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve(App::connect, async |app| Ok(router(State::connect(app).await?))).await
}
