//! Independent programs come to the same scores as the service: for the published vectors, and for random inputs.

use crochet_domain::score::{Payer, Said, Sums, score};
use crochet_tests::{Outcome, Program, Random};
use serde_json::{Value, json};

const VECTORS: &str = include_str!("../../vectors/score.json");
const RANDOM_INPUTS: u64 = 2_000;

/// Inputs of every size: most payers are small, some are whales, some were never served.
fn random_inputs() -> Vec<Value> {
    let mut random = Random::seeded(12);
    let mut below = |end: u64| random.below(end);
    (0..RANDOM_INPUTS)
        .map(|_| {
            let size = 10_u64.pow(u32::try_from(below(7)).unwrap_or(0) + 1);
            let payers: Vec<[u64; 5]> = (0..below(20))
                .map(|_| {
                    let (lost, owed) = (below(size) / (1 + below(50)), below(size) * below(2) / (1 + below(50)));
                    [1 + below(9), below(size), lost, owed, below(1_001) * below(2)]
                })
                .collect();
            let reviews: Vec<[u64; 3]> = (0..below(10)).map(|_| [1 + below(3), below(5_001), 1 + below(5)]).collect();
            json!({ "payers": payers, "reviews": reviews, "active_weeks": below(53), "refund_overdue": below(20) == 0 })
        })
        .collect()
}

fn numbers(row: &Value) -> Vec<i64> {
    row.as_array().into_iter().flatten().filter_map(Value::as_i64).collect()
}

fn by_the_service(input: &Value) -> Value {
    let mut sums = Sums::default();
    for row in input["payers"].as_array().into_iter().flatten().map(numbers) {
        sums.add_payers(&Payer { kept: row[1], lost: row[2], owed: row[3], grief: row[4] }, row[0]);
    }
    for row in input["reviews"].as_array().into_iter().flatten().map(numbers) {
        for _ in 0..row[0] {
            sums.add_review(Said { voice: row[1], accuracy_rating: u8::try_from(row[2]).unwrap_or(5) });
        }
    }
    let weeks = u32::try_from(input["active_weeks"].as_u64().unwrap_or(0)).unwrap_or(0);
    let score = score(&sums, weeks, input["refund_overdue"] == true);
    json!({ "parts": score.parts.array(), "total": score.value })
}

fn agrees(program: &Program) -> Outcome {
    let vectors: Value = serde_json::from_str(VECTORS)?;
    let vectors = vectors["vectors"].as_array().cloned().unwrap_or_default();
    assert_eq!(vectors.len(), 13);
    let published: Vec<Value> =
        vectors.iter().map(|vector| json!({ "parts": vector["parts"], "total": vector["total"] })).collect();
    assert_eq!(program.run(&json!(vectors))?, json!(published));
    let inputs = random_inputs();
    let theirs = program.run(&json!(inputs))?;
    for (input, theirs) in inputs.iter().zip(theirs.as_array().into_iter().flatten()) {
        assert_eq!(*theirs, by_the_service(input), "{input}");
    }
    assert_eq!(theirs.as_array().map(Vec::len), Some(inputs.len()));
    Ok(())
}

#[test]
fn a_program_in_python_comes_to_the_same_scores() -> Outcome {
    Program::python("score.py").map_or(Ok(()), |program| agrees(&program))
}

#[test]
fn a_program_in_javascript_comes_to_the_same_scores() -> Outcome {
    Program::javascript("score.mjs").map_or(Ok(()), |program| agrees(&program))
}
