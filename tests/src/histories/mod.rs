//! Seeded histories of buyers, sellers, the provider and faults, checked against a small model.
//!
//! In the end: what was filled is charged once and nothing else is; nobody is charged twice for what was wanted once; the books sum to zero; a call
//! is always answered in the same bytes; nothing reaches a seller unpaid; and every in-flight slot was given back.

mod cast;
mod history;
mod model;
mod step;

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crochet_client::Wallet;

use crate::failure::{Failure, Outcome};
use crate::outbound::Outbound;
use crate::random::Random;
use crate::setup::with_setup;
use crate::world::World;
use cast::Cast;
use history::History;
use step::{BUYERS, LISTINGS, Step};

/// Histories that share a stack, one after the other.
const PER_STACK: usize = 25;
/// Stacks that run at the same time.
const STACKS: usize = 6;
/// Findings whose history is made shorter.
const SHORTENED: usize = 3;

/// What the histories came to.
#[derive(Debug, Clone, Default)]
pub struct HistoryReport {
    /// Histories.
    pub histories: usize,
    /// Steps in all of them.
    pub steps: usize,
    /// Quotes that were paid.
    pub paid: usize,
    /// Calls that were answered.
    pub answered: usize,
    /// What contradicts the model: the seed, and what happened.
    pub findings: Vec<(u64, String)>,
    /// The shortest prefixes of the first histories that contradict it.
    pub traces: Vec<String>,
}

impl fmt::Display for HistoryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for trace in &self.traces {
            writeln!(f, "{trace}\n")?;
        }
        for (seed, what) in &self.findings {
            writeln!(f, "  CROCHET_SEED={seed}: {what}")?;
        }
        let Self { histories, steps, paid, answered, findings, .. } = self;
        write!(
            f,
            "histories: {histories}, {steps} steps, {paid} quotes paid, {answered} calls answered, {} contradictions",
            findings.len()
        )
    }
}

/// Plays one history for each seed.
///
/// # Errors
/// If a stack does not start, or the books of one do not sum to zero. What contradicts the model is in the report.
pub fn run_histories(seeds: &[u64]) -> Result<HistoryReport, Failure> {
    let batches: Vec<&[u64]> = seeds.chunks(PER_STACK).collect();
    let (next, report) = (AtomicUsize::new(0), Mutex::new(HistoryReport::default()));
    let work = || -> Outcome {
        while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
            run_batch(batch, &report)?;
            if let Ok(report) = report.lock() {
                println!("{} of {} histories, {} contradictions", report.histories, seeds.len(), report.findings.len());
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..STACKS.min(batches.len())).map(|_| scope.spawn(work)).collect();
        let joined = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err(Failure::new("a history panicked"))));
        joined.collect::<Outcome>()
    })?;
    let mut report = report.into_inner().unwrap_or_default();
    report.findings.sort();
    let mut failed: Vec<u64> = report.findings.iter().map(|(seed, _)| *seed).collect();
    failed.dedup();
    for seed in failed.into_iter().take(SHORTENED) {
        report.traces.push(shortest(seed)?);
    }
    Ok(report)
}

fn run_batch(seeds: &[u64], report: &Mutex<HistoryReport>) -> Outcome {
    on_a_stack(async |world, outbound, cast| {
        for seed in seeds {
            let steps = step::steps(&mut Random::seeded(*seed));
            let history = play(world, outbound, cast, *seed, &steps).await;
            let history = history.map_err(|failure| Failure::new(format!("seed {seed}: {failure:?}")))?;
            if let Ok(mut report) = report.lock() {
                report.histories += 1;
                report.steps += steps.len();
                report.paid += history.quotes.iter().filter(|seen| seen.status == "success").count();
                report.answered += history.answers.len();
                report.findings.extend(history.findings.iter().map(|what| (*seed, what.clone())));
            }
        }
        Ok(())
    })
}

/// The log of the shortest prefix of a history that contradicts the model.
fn shortest(seed: u64) -> Result<String, Failure> {
    let steps = step::steps(&mut Random::seeded(seed));
    let mut told = format!("seed {seed}: no prefix of it contradicts the model again");
    for length in 1..=steps.len() {
        let mut found = None;
        on_a_stack(async |world, outbound, cast| {
            let history = play(world, outbound, cast, seed, &steps[..length]).await?;
            if !history.findings.is_empty() {
                found = Some(format!(
                    "seed {seed}, its first {length} steps\n  {}\n!! {}",
                    history.log.join("\n  "),
                    history.findings.join("\n!! ")
                ));
            }
            Ok(())
        })?;
        if let Some(found) = found {
            told = found;
            break;
        }
    }
    Ok(told)
}

fn on_a_stack(work: impl AsyncFnOnce(&World, &Outbound, &Cast) -> Outcome) -> Outcome {
    let outbound = &Outbound::start()?;
    let mut setup = outbound.setup();
    setup.settings = vec![("CROCHET_MAX_LISTINGS", "100000".into()), ("CROCHET_POW_DIFFICULTY", "1".into())];
    with_setup(setup, async |world| {
        world.called();
        let client = world.stack()?.client();
        let seller = client.register(&Wallet::evm(), "Seller of histories").await?;
        let mut buyers = Vec::new();
        for _ in 0..BUYERS {
            buyers.push(client.register(&Wallet::solana(), "Buyer of histories").await?);
        }
        work(world, outbound, &Cast { buyers, seller }).await
    })
}

async fn play<'a>(
    world: &'a World,
    outbound: &'a Outbound,
    cast: &'a Cast,
    seed: u64,
    steps: &[Step],
) -> Result<History<'a>, Failure> {
    let mut history = History::begin(world, outbound, cast, seed, LISTINGS).await?;
    for step in steps {
        history.play(*step).await?;
    }
    history.judge().await?;
    Ok(history)
}
