//! A table of wrong moves. A program that does what `recovery` says gets out of all but the dead ends that the table names.

use crochet_tests::{Outcome, isolated, play_wrong_moves};

/// Each row: an operation, what came before, what is wrong with the request, and the code of the first answer.
const MOVES: &str = include_str!("wrong_moves.json");
/// The least number of moves that must end in success.
const LEAST: usize = 120;
/// The greatest number of dead ends.
const MOST_DEAD_ENDS: usize = 10;

#[test]
fn the_advice_of_every_answer_leads_out() -> Outcome {
    isolated(async |world| {
        let report = play_wrong_moves(world, MOVES).await?;
        println!(
            "wrong moves: {} led out, {} dead ends, {} lost, {} requests",
            report.led_out,
            report.dead_ends,
            report.lost.len(),
            report.requests
        );
        assert!(report.lost.is_empty(), "{}", report.lost.join("\n"));
        assert!(report.led_out >= LEAST && report.dead_ends <= MOST_DEAD_ENDS, "{report:?}");
        Ok(())
    })
}
