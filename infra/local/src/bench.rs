//! `cargo xtask bench catalog`: latency and memory of the catalogue with a hundred thousand listings.

mod cold;
mod pages;
mod queries;
mod seed;

use std::time::Instant;

use crochet::clock::Clock;
use crochet::config::Config;
use crochet::store::Store;
use crochet_catalog::Catalogue;
use crochet_catalog::snapshot_writer::{self, Outcome, Schedule};

use crate::{Options, Stack};

pub use cold::start as cold_start;

/// Default number of listings.
pub const LISTINGS: usize = 100_000;

/// Seeds the listings into an embedded DynamoDB, writes a snapshot, measures, and prints tables.
///
/// # Errors
/// One sentence that says what failed or which limit was exceeded.
pub async fn catalog(listings: usize) -> Result<(), String> {
    let stack = Stack::start(Options { routers: false, ..Options::ephemeral() }).await?;
    let settings = stack.env();
    let config = Config::from_lookup(|name| settings.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()));
    let config = config.map_err(|error| error.to_string())?;
    let clock = Clock::system();

    let began = Instant::now();
    seed::fill(&stack, &config, listings, crochet_domain::timestamp::unix_ms(clock.now())).await?;
    println!("seeded {listings} listings in {:.0} s", began.elapsed().as_secs_f64());

    let store = Store::of(&config).await;
    let began = Instant::now();
    let outcome = snapshot_writer::write(&store, &clock, Schedule::Always).await.map_err(|error| error.to_string())?;
    let Outcome::Written { listings: count, bytes, indexed_ms } = outcome else { return Err(format!("no snapshot: {outcome:?}")) };
    println!("wrote a snapshot of {count} listings, {:.1} MB, in {:.1} s", mb(bytes), began.elapsed().as_secs_f64());
    println!("  of that {indexed_ms} ms to index it: what a cold instance would take longer without the index in it");
    println!("  units: {} to write it, {} to read it", bytes.div_ceil(1_024), bytes.div_ceil(8_192));
    seed::assert_nothing_private(&store).await?;
    println!("  nothing of endpoints, schemas or examples is in it\n");

    cold::measure(&settings)?;

    let catalogue = Catalogue::new(store, clock);
    catalogue.refresh().await.map_err(|error| error.to_string())?;
    queries::measure(&catalogue, &config)?;
    pages::measure(&config, &catalogue).await?;
    stack.stop().await;
    Ok(())
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}
