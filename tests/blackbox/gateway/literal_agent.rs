//! `POST /gateway/:listingId`: a program that obeys every reply to the letter pays once.

use crochet_tests::{Outcome, run_literal_agents, runs_from_env, seeds};

/// The number of runs. `cargo xtask faults --agent N` sets it.
const RUNS: &str = "CROCHET_FAULTS_AGENT";

#[test]
fn whoever_follows_the_advice_to_the_letter_pays_once_and_gets_what_was_paid_for() -> Outcome {
    let Some(runs) = runs_from_env(RUNS) else {
        println!("not run: {RUNS} is not set (cargo xtask faults --agent sets it)");
        return Ok(());
    };
    let report = run_literal_agents(&seeds(runs))?;
    println!("{report}");
    assert!(report.violations.is_empty(), "CROCHET_SEED repeats a run");
    Ok(())
}
