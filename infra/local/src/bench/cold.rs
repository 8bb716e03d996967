//! Cold starts, each in a process of its own: time to the first reply, and memory.

use std::process::Command;
use std::time::{Duration, Instant};

use crochet::clock::Clock;
use crochet::config::Config;
use crochet::store::Store;
use crochet_catalog::Catalogue;
use crochet_catalog::search::Search;
use crochet_catalog::snapshot::FORMAT;

/// Number of cold starts.
const TIMES: usize = 7;

/// Measures cold starts and prints them.
///
/// # Errors
/// If the process cannot be started or prints something else.
pub(super) fn measure(settings: &[(String, String)]) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut runs = Vec::new();
    for _ in 0..TIMES {
        let mut cold = Command::new(&program);
        cold.args(["bench", "cold"]).envs(settings.iter().map(|(name, value)| (name, value)));
        let output = cold.output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!("a cold start failed: {}", String::from_utf8_lossy(&output.stderr)));
        }
        let figures: Vec<f64> = String::from_utf8_lossy(&output.stdout).split_whitespace().filter_map(|n| n.parse().ok()).collect();
        runs.push(<[f64; 5]>::try_from(figures).map_err(|told| format!("a cold start told {told:?}"))?);
    }
    let column = |n: usize| {
        let mut values: Vec<f64> = runs.iter().map(|run| run[n]).collect();
        values.sort_by(f64::total_cmp);
        (values[TIMES / 2], values[TIMES - 1])
    };
    println!("| cold start ({TIMES} processes) | median | worst |\n|---|---|---|");
    let rows = [
        ("connect (ms)", 0),
        ("connected to first answer (ms)", 1),
        ("the database alone, for the same parts (ms)", 2),
        ("memory then (MB)", 3),
        ("memory at its peak (MB)", 4),
    ];
    for (what, n) in rows {
        let (median, worst) = column(n);
        println!("| {what} | {median:.0} | {worst:.0} |");
    }
    println!();
    Ok(())
}

/// Runs in the other process: connects, answers one search, and prints the figures.
///
/// # Errors
/// If the stack is unreachable or there is no snapshot.
pub async fn start() -> Result<(), String> {
    let began = Instant::now();
    let config = Config::from_env().map_err(|error| error.to_string())?;
    let store = Store::of(&config).await;
    store.warm().await;
    let connected = began.elapsed();
    let began = Instant::now();
    let catalogue = Catalogue::new(store.clone(), Clock::system());
    catalogue.refresh().await.map_err(|error| error.to_string())?;
    let mut wanted = Search::all();
    wanted.set_text("weather");
    let page = catalogue.search(&wanted).map_err(|error| error.to_string())?;
    let answered = began.elapsed();
    if page.total == 0 {
        return Err("nothing was found".into());
    }
    let (now, peak) = (memory("VmRSS:"), memory("VmHWM:"));
    let read = read_parts(&store).await?;
    println!("{} {} {} {now} {peak}", ms(connected), ms(answered), ms(read));
    Ok(())
}

/// Time to read the parts from the database, sixteen at a time, as the catalogue does.
async fn read_parts(store: &Store) -> Result<Duration, String> {
    let Ok(Some(head)) = store.snapshot_head(FORMAT).await else { return Err("there is no snapshot".into()) };
    let began = Instant::now();
    let parts: Vec<usize> = (0..head.listings.parts.len() + head.index.parts.len()).collect();
    for some in parts.chunks(16) {
        let reads = some.iter().map(|n| store.snapshot_part(&head.generation, *n));
        futures::future::try_join_all(reads).await.map_err(|error| error.to_string())?;
    }
    Ok(began.elapsed())
}

/// A value of `/proc/self/status`, in MB. 0 on systems without it.
fn memory(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()).and_then(|kb| kb.parse::<f64>().ok()).map_or(0.0, |kb| kb / 1_000.0)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
