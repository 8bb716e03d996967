//! Ten typical queries of a warm instance: the search, and the serialized page.

use std::hint::black_box;
use std::time::Instant;

use crochet::config::Config;
use crochet::wire::listing::ListingView;
use crochet_catalog::Catalogue;
use crochet_catalog::model::search::{Search, Sort};
use crochet_domain::money::Micros;

/// Repetitions of each query.
const TIMES: usize = 1_000;
/// Maximum 99th percentile of a page, in milliseconds.
const MOST_MS: f64 = 100.0;

/// Runs all queries and prints their times.
///
/// # Errors
/// If a query finds nothing or takes too long.
pub(super) fn measure(catalogue: &Catalogue, config: &Config) -> Result<(), String> {
    println!("| query (n = {TIMES} each, reply spelled) | found | p50 ms | p99 ms |\n|---|---|---|---|");
    for (name, wanted) in typical(catalogue)? {
        let mut times = Vec::with_capacity(TIMES);
        let mut total = 0;
        for _ in 0..TIMES {
            let began = Instant::now();
            let page = catalogue.search(&wanted).map_err(|error| error.to_string())?;
            let views: Vec<ListingView> = page.listings.iter().map(|listing| ListingView::in_list(listing, config)).collect();
            black_box(serde_json::to_vec(&views).map_err(|error| error.to_string())?);
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
            total = page.total;
        }
        times.sort_by(f64::total_cmp);
        let (median, most) = (times[TIMES / 2], times[TIMES * 99 / 100]);
        println!("| {name} | {total} | {median:.2} | {most:.2} |");
        if total == 0 || most > MOST_MS {
            return Err(format!("{name}: found {total}, p99 {most:.1} ms; something should be found, within {MOST_MS} ms"));
        }
    }
    println!();
    Ok(())
}

fn typical(catalogue: &Catalogue) -> Result<Vec<(&'static str, Search)>, String> {
    let first = catalogue.search(&Search::all()).map_err(|error| error.to_string())?;
    let seller = first.listings.first().map(|listing| listing.seller.id).ok_or("the catalogue is empty")?;
    let text = |q: &str| {
        let mut search = Search { sort: Sort::Relevance, ..Search::all() };
        search.look_for(q);
        search
    };
    Ok(vec![
        ("newest", Search::all()),
        ("category=data", Search { category: Some("data"), ..Search::all() }),
        ("sort=price_low page=50", Search { sort: Sort::PriceLow, page: 50, ..Search::all() }),
        ("seller", Search { seller: Some(seller), ..Search::all() }),
        ("q=weather", text("weather")),
        ("q=translate documents", text("translate documents")),
        ("q=transl (a beginning)", text("transl")),
        ("q=wether forcast (misspelt)", text("wether forcast")),
        (
            "q=price feed, finance, at most 0.05, cheapest",
            Search { category: Some("finance"), max_price: Some(Micros(50_000)), sort: Sort::PriceLow, ..text("price feed") },
        ),
        ("q=real time market data for agents, limit=100", Search { limit: 100, ..text("real time market data for agents") }),
    ])
}
