//! The published test vectors. Clients in Python and JavaScript are held to the same file.

use serde_json::Value;

use super::super::{Payer, Said, Sums, UNIT_FEE, ceiling, milli, score};
use crate::money::{FeeRate, Micros, PriceSplit};

const VECTORS: &str = include_str!("../../../../../tests/vectors/score.json");

fn integers(row: &Value) -> Vec<i64> {
    row.as_array().expect("a list").iter().map(|number| number.as_i64().expect("an integer")).collect()
}

#[test]
fn every_vector_comes_to_its_score() {
    let vectors: Value = serde_json::from_str(VECTORS).expect("JSON");
    let vectors = vectors["vectors"].as_array().expect("a list");
    for vector in vectors {
        let mut sums = Sums::default();
        for row in vector["payers"].as_array().expect("payers") {
            let [times, kept, lost, owed, grief] = integers(row)[..] else { panic!("five numbers") };
            sums.add_payers(&Payer { kept, lost, owed, grief }, times);
        }
        for row in vector["reviews"].as_array().expect("reviews") {
            let [times, voice, stars] = integers(row)[..] else { panic!("three numbers") };
            for _ in 0..times {
                sums.add_review(Said { voice, accuracy_rating: u8::try_from(stars).expect("stars") });
            }
        }
        let weeks = u32::try_from(vector["active_weeks"].as_u64().expect("weeks")).expect("weeks");
        let got = score(&sums, weeks, vector["refund_overdue"].as_bool().expect("a boolean"));
        let name = &vector["name"];
        for (field, sum) in [
            ("volume", sums.volume),
            ("bad", sums.all_bad()),
            ("unhappy", sums.unhappy),
            ("said", sums.voices()),
            ("heads", sums.heads),
            ("grief", sums.grief),
        ] {
            assert_eq!(vector["sums"][field].as_i64(), Some(sum), "{name}: {field}");
        }
        assert_eq!(integers(&vector["parts"]), got.parts.array().map(i64::from), "{name}");
        assert_eq!(vector["total"].as_u64(), Some(got.value.into()), "{name}");
    }
    println!("vectors: {} of {} as published", vectors.len(), vectors.len());
}

#[test]
fn a_call_counts_by_its_fee() {
    let rate = FeeRate::from_bps(490).expect("a rate");
    for (price, counts) in
        [(100, 1), (10_000, 100), (20_000, 200), (50_000, 500), (99_000, 990), (100_000, 1_000), (10_000_000, 1_000)]
    {
        assert_eq!(milli(PriceSplit::of(Micros(price), rate).fee, UNIT_FEE), counts, "{price}");
    }
}

#[test]
fn the_ceiling_is_as_published() {
    for (fees, weeks, most) in [
        (0, 0, 400),
        (290_000, 1, 500),
        (990_000, 1, 600),
        (2_890_000, 1, 700),
        (10_000_000, 1, 800),
        (88_600_000, 1, 900),
        (1_560_000, 26, 700),
        (4_660_000, 26, 800),
        (19_800_000, 26, 900),
        (100_000_000, 13, 930),
    ] {
        let got = ceiling(Micros(fees), UNIT_FEE, weeks);
        assert!(got.abs_diff(most) <= 1, "{fees}: {got}");
    }
    assert!(ceiling(Micros(i64::MAX), UNIT_FEE, 52) <= 1_000);
}
