//! The identity function.

use crochet::app::App;
use crochet::config::Config;
use crochet::http::service::finish;
use crochet_identity::{State, router};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    crochet::telemetry::start();
    let config = Config::from_env().unwrap_or_else(|problem| {
        eprintln!("{problem}");
        std::process::exit(1)
    });
    let app = App::connect(config).await;
    let (routes, _) = router(State::new(app.clone())).split_for_parts();
    lambda_http::run(finish(routes, app)).await
}
