//! Seeded histories of buyers, sellers, rotations, price changes and faults.

use crochet_tests::{Outcome, run_histories, runs_from_env, seeds};

/// The number of histories. `cargo xtask faults --runs N` sets it.
const HISTORIES: &str = "CROCHET_FAULTS_HISTORIES";

#[test]
fn no_history_of_buyers_sellers_and_faults_contradicts_the_model() -> Outcome {
    let Some(runs) = runs_from_env(HISTORIES) else {
        println!("not run: {HISTORIES} is not set (cargo xtask faults --runs sets it)");
        return Ok(());
    };
    let report = run_histories(&seeds(runs))?;
    println!("{report}");
    assert!(report.findings.is_empty(), "CROCHET_SEED repeats a history");
    Ok(())
}
