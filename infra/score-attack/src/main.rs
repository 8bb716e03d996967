//! Plays the attacks on the score, prints what they cost, and writes the page of the documentation with its plots.

use std::path::Path;
use std::process::ExitCode;

use crochet_score_attack::attacks::figures;
use crochet_score_attack::page::{Measured, files};
use crochet_score_attack::promises::{play_ceiling, play_floor, play_parity};
use crochet_score_attack::ranking::rank;

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/score");

fn main() -> ExitCode {
    let measured =
        Measured { ceiling: play_ceiling(20_000), parity: play_parity(20_000), floor: play_floor(3_000), ranking: rank() };
    for file in files(&figures(), &measured) {
        if Path::new(file.name).extension().is_some_and(|extension| extension == "md") {
            println!("{}", file.text);
        }
        let path = Path::new(DOCS).join(file.name);
        if let Err(error) = std::fs::create_dir_all(DOCS).and_then(|()| std::fs::write(&path, file.text)) {
            eprintln!("{}: {error}", path.display());
            return ExitCode::FAILURE;
        }
        println!("written: docs/score/{}", file.name);
    }
    if !measured.ranking.keeps_the_promise() {
        eprintln!("the ranking is worse than promised: {:?}", measured.ranking);
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
