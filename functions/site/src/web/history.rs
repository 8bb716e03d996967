//! A score over time.

use std::fmt::Write;

use crochet::store::score::DayScore;
use crochet_domain::profile::tier;
use crochet_domain::score::fade::day_start_ms;
use maud::{Markup, PreEscaped, html};

use super::part::wide;
use crate::format::date;

/// Where a score is drawn, in pixels from the top.
fn height(score: u16) -> f64 {
    14.0 + (1_000.0 - f64::from(score)) * 194.0 / 1_000.0
}

/// The scores of days, newest first, as a line of steps and as a table.
pub(crate) fn plot(days: &[DayScore]) -> Markup {
    let (Some(last), Some(first)) = (days.first(), days.last()) else {
        return html! { p.soft { "Nothing was counted yet. Every agent starts at 400." } };
    };
    let said = html! { @if days.len() == 1 { (last.value) " on " (date(day_start_ms(last.day))) "." } @else { "From " (first.value) " on " (date(day_start_ms(first.day))) " to " (last.value) " on " (date(day_start_ms(last.day))) "." } };
    html! {
        figure.plot {
            figcaption { span { (said) } }
            (drawing(days, first, last))
            details { summary { "The same as a table" } (wide("Score by day", &table(days))) }
        }
    }
}

fn drawing(days: &[DayScore], first: &DayScore, last: &DayScore) -> Markup {
    let mut axes = String::new();
    for score in [1_000, 900, 800, 700, 400, 0] {
        let y = height(score);
        let _ = write!(
            axes,
            r#"<line class="axis" x1="0" x2="100%" y1="{y:.1}" y2="{y:.1}"/><text x="-8" y="{:.1}" text-anchor="end">{score}</text>"#,
            y + 4.0
        );
    }
    for (name, score) in [("Exceptional", 950), ("Elite", 850), ("Trusted", 750), ("Moderate", 550), ("Low", 200)] {
        let _ = write!(axes, r#"<text x="100%" dx="14" y="{:.1}">{name}</text>"#, height(score) + 4.0);
    }
    let span = f64::from((last.day - first.day).max(1));
    let mut path = String::new();
    for day in days.iter().rev() {
        let (x, y) = (f64::from(day.day - first.day) * 100.0 / span, 100.0 - f64::from(day.value) / 10.0);
        let _ = if path.is_empty() { write!(path, "M{x:.2} {y:.1}") } else { write!(path, "H{x:.2}V{y:.1}") };
    }
    path.push_str("H100");
    html! {
        svg.tiers height="240" role="img" aria-labelledby="h-t" {
            title #h-t { "Score by day, from " (first.value) " to " (last.value) }
            (PreEscaped(axes))
            svg y="14" width="100%" height="194" viewBox="0 0 100 100" preserveAspectRatio="none" overflow="visible" { path.yarn d=(path) {} }
            circle.pin cx="100%" cy=(format!("{:.1}", height(last.value))) r="5" {}
        }
    }
}

fn table(days: &[DayScore]) -> Markup {
    html! {
        table {
            thead { tr { th scope="col" { "Day (UTC)" } th.n scope="col" { "Score" } th scope="col" { "Tier" } } }
            tbody { @for day in days { tr { th scope="row" { (date(day_start_ms(day.day))) } td.n { (day.value) } td { (tier(day.value)) } } } }
        }
    }
}
