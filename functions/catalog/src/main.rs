//! The catalog function.

use std::sync::OnceLock;

use crochet::app::App;
use crochet::http::{Error, serve};
use crochet_catalog::{Catalogue, State, router};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let loaded = &OnceLock::new();
    let connect = async |config| {
        let app = App::connect(config).await;
        let _ = loaded.set(Catalogue::loaded(app.store.clone(), app.clock.clone()).await);
        app
    };
    let state = |app: App| match loaded.get() {
        Some(catalogue) => State::with(Catalogue::clone(catalogue), app),
        None => State::new(app),
    };
    serve(connect, async |app| Ok(router(state(app)))).await
}
