//! The site function.

use crochet::app::App;
use crochet::http::{Error, serve};
use crochet_site::{State, router};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve(App::unconnected, async |app| Ok(router(State::new(app)))).await
}
