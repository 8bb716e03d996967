//! A buyer that knows nothing but the advice of the replies, and obeys it to the letter.
//!
//! It reads `recovery` of a failure, `data.payment` of a 402, and the names of the headers. Where an advice can be read in two ways, it takes the
//! way that costs more. The provider shows its deposits late, fails, goes back and forgets; sellers fail; replies are lost.
//!
//! The invariant of each run: no payment while an earlier one of the same call may still be filled, or was and is not owed yet; every paid
//! id ends delivered, refunded or owed, by each name of its call; and no advice without a time to wait comes more than three times in a row.

mod advice;
mod fate;
mod pay;
mod run;
mod timeline;
mod verdict;
mod wish;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crochet_client::{Agent, Wallet};
use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::names::unique_name;
use crate::random::Random;
use crate::setup::{Setup, with_setup};
use crate::world::World;
use run::Run;
use timeline::{Event, Timeline};
use wish::Wish;

/// Runs that share a stack, one after the other.
const RUNS_PER_STACK: usize = 25;
/// Stacks that run at the same time.
const STACKS: usize = 6;
/// Traces that are printed. More would not be read.
const PRINTED: usize = 3;
/// Seconds that pass between two runs, so that no limit of the first counts for the second.
const BETWEEN_RUNS: i64 = 3_600;

/// What the runs came to.
#[derive(Debug, Clone, Default)]
pub struct AgentReport {
    /// Runs.
    pub runs: usize,
    /// Requests to the gateway.
    pub requests: usize,
    /// Calls that the agents wanted.
    pub wanted: usize,
    /// Quotes that were paid.
    pub paid: usize,
    /// Calls that were answered.
    pub delivered: usize,
    /// Payments after a failure that the provider had reported and that turned out to be a success.
    pub confirmed_after_failure: u32,
    /// What broke the invariant: the seed, and what happened.
    pub violations: Vec<(u64, String)>,
    /// Traces that were printed: those of the first runs that broke it, as soon as they did.
    traced: usize,
}

impl fmt::Display for AgentReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (seed, what) in &self.violations {
            writeln!(f, "  CROCHET_SEED={seed}: {what}")?;
        }
        write!(
            f,
            "literal agent: {} runs, {} requests, {} calls wanted, {} quotes paid, {} answered, {} paid after a failure that was none, {} violations",
            self.runs,
            self.requests,
            self.wanted,
            self.paid,
            self.delivered,
            self.confirmed_after_failure,
            self.violations.len()
        )
    }
}

/// Runs one agent for each seed.
///
/// # Errors
/// If a stack does not start, or a ledger does not sum to zero. Violations are in the report.
pub fn run_literal_agents(seeds: &[u64]) -> Result<AgentReport, Failure> {
    let batches: Vec<&[u64]> = seeds.chunks(RUNS_PER_STACK).collect();
    let (next, report) = (AtomicUsize::new(0), Mutex::new(AgentReport::default()));
    let work = || -> Outcome {
        while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
            run_batch(batch, &report)?;
            if let Ok(report) = report.lock() {
                println!("{} of {} runs, {} violations", report.runs, seeds.len(), report.violations.len());
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..STACKS.min(batches.len())).map(|_| scope.spawn(work)).collect();
        let joined = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err(Failure::new("a run panicked"))));
        joined.collect::<Outcome>()
    })?;
    let mut report = report.into_inner().unwrap_or_default();
    report.violations.sort();
    Ok(report)
}

fn run_batch(seeds: &[u64], report: &Mutex<AgentReport>) -> Outcome {
    // Every fifth stack has the limits of a deployment.
    let is_exact = seeds.first().is_some_and(|seed| (seed / RUNS_PER_STACK as u64).is_multiple_of(5));
    let limits = if is_exact { "exact" } else { "relaxed" };
    let settings = [("CROCHET_RATE_LIMITS", limits), ("CROCHET_MAX_LISTINGS", "100000"), ("CROCHET_POW_DIFFICULTY", "1")];
    with_setup(Setup::settings(&settings), async |world| {
        world.called();
        for seed in seeds {
            let run = play(world, *seed).await.map_err(|failure| Failure::new(format!("seed {seed}: {failure:?}")))?;
            if let Ok(mut report) = report.lock() {
                report.add(*seed, &run);
            }
            world.later(BETWEEN_RUNS).await?;
        }
        Ok(())
    })
}

async fn play(world: &World, seed: u64) -> Result<Run<'_>, Failure> {
    let mut random = Random::seeded(seed);
    // What one run leaves owed suspends its seller in the end.
    let seller = world.stack()?.client().register(&Wallet::evm(), &format!("Seller {}", unique_name())).await?;
    let echo = listing(world, &seller, "/echo").await?;
    let buyer = world.stack()?.client().register(&Wallet::solana(), &format!("Literal {}", unique_name())).await?;
    let mut time = Timeline::new(world, random.pick(&[1, 5, 20, 60])).await?;
    if random.chance(20) {
        let begins = random.between(0, 900) * 1_000;
        let lasts = random.pick(&[5, 60, 600, 3_600]) * 1_000;
        time.at(begins, Event::OutageBegins(random.pick(&["down", "garbage"])));
        time.at(begins + lasts, Event::OutageEnds);
    }
    let mut wishes = Vec::new();
    for n in 0..1 + random.below(3) {
        let listing = match random.chance(60) {
            true => echo.clone(),
            false => {
                listing(world, &seller, random.pick(&["/flaky/1", "/flaky/3", "/slow/20", "/status/404", "/fail/500"])).await?
            }
        };
        wishes.push(Wish::drawn(&mut random, &listing, json!({ "seed": seed, "n": n })));
    }
    let mut run = Run {
        world,
        random,
        time,
        buyer,
        wishes,
        deposits: Vec::new(),
        violations: Vec::new(),
        trace: Vec::new(),
        confirmed_after_failure: 0,
        requests: 0,
        mistake: None,
        asked_at: 0,
        undelivered: BTreeSet::new(),
    };
    run.fetch_wishes().await?;
    run.judge().await?;
    world.sandbox.clear_faults().await?;
    Ok(run)
}

async fn listing(world: &World, seller: &Agent, path: &str) -> Result<String, Failure> {
    let mut fields = world.paid_fields(&json!(1), path);
    fields["name"] = format!("Literal {}", unique_name()).into();
    let listing = seller.create_listing(&fields).await?;
    world.seller.add_secret(&listing.signing_secret, path).await?;
    Ok(listing.id)
}

impl AgentReport {
    fn add(&mut self, seed: u64, run: &Run<'_>) {
        self.runs += 1;
        self.requests += run.requests;
        self.wanted += run.wishes.len();
        self.paid += run.deposits.len();
        self.delivered += run.wishes.iter().filter(|wish| !wish.answers.is_empty()).count();
        self.confirmed_after_failure += run.confirmed_after_failure;
        for what in &run.violations {
            println!("CROCHET_SEED={seed}: {what}");
        }
        self.violations.extend(run.violations.iter().map(|what| (seed, what.clone())));
        if !run.violations.is_empty() && self.traced < PRINTED {
            let wishes: Vec<String> =
                run.wishes.iter().map(|wish| format!("  wants {} {:?} {:?}", wish.body, wish.key, wish.temper)).collect();
            println!("seed {seed}\n{}\n{}\n", wishes.join("\n"), run.trace.join("\n"));
            self.traced += 1;
        }
    }
}
