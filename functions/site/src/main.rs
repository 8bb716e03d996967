//! The site function.

use crochet::app::App;
use crochet::http::{Error, serve};
use crochet_site::{State, page_of_error, router};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve(async |config| App::connect(config).await.with_error_page(page_of_error), async |app| Ok(router(State::new(app)))).await
}
