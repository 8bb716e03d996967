//! Pages of a warm instance: the whole request, from the routing to the last byte of the body.

use std::time::Instant;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use crochet::app::App;
use crochet::config::Config;
use crochet::http::service::envelope;
use crochet_catalog::Catalogue;
use crochet_catalog::search::Search;
use futures::StreamExt;
use tower::ServiceExt;

/// Repetitions of each page.
const TIMES: usize = 200;
/// Maximum 99th percentile of a page, in milliseconds.
const MOST_MS: f64 = 100.0;

/// Asks for pages and prints their times and sizes.
///
/// # Errors
/// If a page fails or takes too long.
pub(super) async fn measure(config: &Config, catalogue: &Catalogue) -> Result<(), String> {
    let first = catalogue.search(&Search::all()).map_err(|error| error.to_string())?;
    let listing = first.listings.first().ok_or("the catalogue is empty")?;
    let app = App::connect(config.clone()).await.with_error_page(crochet_site::page_of_error);
    let pages = envelope(crochet_site::router(crochet_site::State::new(app.clone())).split_for_parts().0, app);
    println!("| page (n = {TIMES} each) | bytes | p50 ms | p99 ms |\n|---|---|---|---|");
    for path in [
        "/".to_owned(),
        "/marketplace".into(),
        "/marketplace?q=weather&sort=rating".into(),
        "/marketplace?q=price+feed&max_price=0.05&category=finance".into(),
        "/marketplace?page=2500".into(),
        "/marketplace?q=weather+xyzzy+forecast&max_price=0.0001".into(),
        format!("/listings/{}", listing.slug),
        format!("/agents/{}", listing.seller.id),
        "/sitemap.xml".into(),
    ] {
        let mut times = Vec::with_capacity(TIMES);
        let mut bytes = 0;
        for _ in 0..TIMES {
            let request =
                Request::get(&path).header(header::ACCEPT, "text/html").body(Body::empty()).map_err(|error| error.to_string())?;
            let began = Instant::now();
            let response: Response = pages.clone().oneshot(request).await.map_err(|error| error.to_string())?;
            if response.status() != StatusCode::OK {
                return Err(format!("{path}: {}", response.status()));
            }
            bytes = 0;
            let mut body = response.into_body().into_data_stream();
            while let Some(part) = body.next().await {
                bytes += part.map_err(|error| error.to_string())?.len();
            }
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        times.sort_by(f64::total_cmp);
        let (median, most) = (times[TIMES / 2], times[TIMES * 99 / 100]);
        println!("| {path} | {bytes} | {median:.2} | {most:.2} |");
        if most > MOST_MS {
            return Err(format!("{path}: p99 {most:.1} ms; it should take at most {MOST_MS} ms"));
        }
    }
    println!();
    Ok(())
}
