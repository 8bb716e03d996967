//! A fault of each outbound request of a call: to DynamoDB, to Secrets Manager, to the provider and to the seller.
//!
//! The client retries, the sweeper runs, and the call ends as without the fault: charged once, delivered under one `webhook-id`, always the same
//! reply, and ledger entries that sum to zero.
//!
//! A run of the suite plays the plain paid call. `cargo xtask faults` plays every plot.

mod histories;
mod play;
mod plot;
mod stage;

use crochet_tests::{Destination, Fault, Outbound, Outcome, leave_out, with_setup};

use play::{Tally, play, prepare};
use plot::Plot;

/// More requests to one destination than any call makes.
const TOO_MANY: usize = 80;
/// The request to the provider by which a call whose first payment failed is quoted anew.
const REPLACEMENT: usize = 4;
/// `all`: every plot is played. `cargo xtask faults` sets it.
const PAIRS: &str = "CROCHET_FAULTS_PAIRS";

/// Plays each plot once for each request to this destination and each of these faults of that request.
fn every_request_in_turn(at: Destination, faults: &[Fault]) -> Outcome {
    if leave_out() {
        return Ok(());
    }
    let plots = if std::env::var(PAIRS).is_ok_and(|value| value == "all") { Plot::ALL.as_slice() } else { &[Plot::Plain] };
    let mut tally = Tally::default();
    for plot in plots {
        let outbound = &Outbound::start()?;
        with_setup(outbound.setup(), async |world| {
            let mut stage = prepare(world, outbound, *plot).await?;
            for fault in faults {
                for k in 1..TOO_MANY {
                    if !play(&mut stage, *plot, at, *fault, k, &mut tally).await? {
                        break;
                    }
                }
            }
            Ok(())
        })?;
    }
    println!("{at:?} × {faults:?}: {tally}");
    assert!(tally.is_clean(), "{}", tally.findings.join("\n"));
    assert!(tally.pairs >= faults.len(), "no request of a call goes to {at:?}");
    Ok(())
}

#[test]
fn a_transaction_conflict_at_any_write_changes_nothing() -> Outcome {
    every_request_in_turn(Destination::DynamoDb, &[Fault::Conflict])
}

#[test]
fn a_lost_reply_of_any_request_to_the_table_changes_nothing() -> Outcome {
    every_request_in_turn(Destination::DynamoDb, &[Fault::LostReply])
}

#[test]
fn a_table_that_is_gone_after_any_request_changes_nothing() -> Outcome {
    every_request_in_turn(Destination::DynamoDb, &[Fault::CrashAfter])
}

#[test]
fn a_table_that_is_gone_before_any_request_changes_nothing() -> Outcome {
    every_request_in_turn(Destination::DynamoDb, &[Fault::CrashBefore])
}

#[test]
fn any_request_to_the_table_that_is_late_by_more_than_a_lease_changes_nothing() -> Outcome {
    every_request_in_turn(Destination::DynamoDb, &[Fault::Delay])
}

#[test]
fn a_process_that_dies_before_any_request_to_the_table_changes_nothing() -> Outcome {
    every_request_in_turn(Destination::DynamoDb, &[Fault::KillBefore])
}

#[test]
fn a_process_that_dies_after_any_request_to_the_table_changes_nothing() -> Outcome {
    every_request_in_turn(Destination::DynamoDb, &[Fault::KillAfter])
}

#[test]
fn no_fault_of_a_request_for_a_secret_changes_anything() -> Outcome {
    every_request_in_turn(Destination::SecretsManager, &Fault::ANYWHERE)
}

#[test]
fn no_fault_of_a_request_to_the_provider_changes_anything() -> Outcome {
    every_request_in_turn(Destination::Provider, &Fault::ANYWHERE)
}

#[test]
fn no_fault_of_a_request_to_the_seller_changes_anything() -> Outcome {
    every_request_in_turn(Destination::Seller, &Fault::ANYWHERE)
}

/// The place of the replacement is free ten seconds later. Until then, repeats wait for it, and not longer than a request may take.
#[test]
fn a_process_that_dies_while_it_quotes_a_replacement_holds_up_nobody_for_long() -> Outcome {
    if leave_out() {
        return Ok(());
    }
    let (mut tally, outbound) = (Tally::default(), &Outbound::start()?);
    with_setup(outbound.setup(), async |world| {
        let mut stage = prepare(world, outbound, Plot::Refailed).await?;
        play(&mut stage, Plot::Refailed, Destination::Provider, Fault::KillBefore, REPLACEMENT, &mut tally).await.map(drop)
    })?;
    assert!(tally.is_clean(), "{}", tally.findings.join("\n"));
    Ok(())
}
