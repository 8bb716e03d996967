//! The parts of a score as a table.

use crochet::wire::score::{Component, ScoreView};
use maud::{Markup, html};

use super::part::wide;
use crate::format::{counted, grouped};

/// The parts, their weights, and what they are from.
pub(crate) fn table(score: &ScoreView) -> Markup {
    let mean: u32 = score.components.iter().map(|part| u32::from(part.value) * u32::from(part.weight)).sum();
    let table = html! {
        table.book {
            thead { tr { th scope="col" { "Part" } th.n scope="col" { "Value" } th.n scope="col" { "Weight" } th.n scope="col" { "Points" } th scope="col" { "From" } } }
            tbody { @for part in &score.components { (row(part)) } }
            tfoot { tr {
                th scope="row" { "Score" }
                td {}
                td.n { "100 %" }
                td.n { (tenths(mean / 10)) }
                td.soft { "the score: " (score.value) @if let Some(why) = capped(score, mean) { ", " (why) } }
            } }
        }
    };
    wide("Parts of the score", &table)
}

fn row(part: &Component) -> Markup {
    let (name, about) = texts(part.name);
    let points = u32::from(part.value) * u32::from(part.weight) / 10;
    html! {
        tr {
            th scope="row" { (name) br; small.soft { (about) } }
            td.n { (part.value) svg.meter aria-hidden="true" {
                rect width="100%" height="8" rx="2" {} rect width=(format!("{}.{}%", part.value / 10, part.value % 10)) height="8" rx="2" {}
            } }
            td.n { "× " (part.weight) " %" }
            td.n { (tenths(points)) }
            td { (from(part)) }
        }
    }
}

fn texts(name: &'static str) -> (&'static str, &'static str) {
    match name {
        "reliability" => ("Reliability", "How many paid calls failed. 1 % is about 800, 4 % about 600."),
        "accuracy" => ("Accuracy", "How many customers complain. Silence is the normal case."),
        "volume" => ("Volume", "Ten times the calls, 200 points."),
        "longevity" => ("Longevity", "Weeks with five calls or more; full after 26."),
        "reputation" => ("Reputation", "How many different customers were let down."),
        other => (other, ""),
    }
}

/// What a part is from. Calls are counted by their fee, and fade over 13 weeks, so that they have fractions.
fn from(part: &Component) -> Markup {
    let milli = |name: &str| tenths(u32::try_from(part.inputs.get(name).copied().unwrap_or(0).max(0) / 100).unwrap_or(u32::MAX));
    let sample = u64::try_from(part.sample_size).unwrap_or(0);
    html! { @match part.name {
        "reliability" => { (milli("good_calls_milli")) " good and " (milli("bad_calls_milli")) " bad, as they count" br; small.soft { (counted(sample, "counted call", "counted calls")) ", 13 weeks" } }
        "accuracy" => { (milli("unhappy_voices_milli")) " unhappy of " (milli("voices_milli")) " voices" br; small.soft { (counted(sample, "review", "reviews")) ", 13 weeks" } }
        "volume" => { (milli("good_calls_milli")) " good calls, as they count" br; small.soft { "13 weeks" } }
        "longevity" => { (counted(sample, "active week", "active weeks")) " of the last 52" }
        _ => { (milli("let_down_milli")) " let down of " (milli("customers_milli")) " customers, as they count" br; small.soft { (counted(sample, "payer", "payers")) ", 13 weeks" } }
    } }
}

/// Why the score is less than the mean.
fn capped(score: &ScoreView, mean: u32) -> Option<&'static str> {
    let is_less = u32::from(score.value) < (mean + 50) / 100;
    match (is_less, score.refund_overdue) {
        (false, _) => None,
        (true, true) => Some("200 at most while a refund is overdue"),
        (true, false) => Some("at most 300 above the weakest"),
    }
}

/// Tenths as a number: `347.2`.
fn tenths(number: u32) -> String {
    format!("{}.{}", grouped((number / 10).into()), number % 10)
}
