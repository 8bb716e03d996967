//! The reviews function.

use crochet::app::App;
use crochet::http::{Error, serve};
use crochet_reviews::{State, router};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve(App::connect, async |app| Ok(router(State::new(app)))).await
}
