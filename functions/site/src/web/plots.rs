//! Days as stitches: what was delivered, and how fast, with the same as a table.

use std::fmt::Write;

use crochet_domain::score::fade::day_start_ms;
use crochet_domain::stats::{DayFigures, Report, WINDOW_DAYS};
use crochet_domain::timestamp::from_unix_ms;
use maud::{Markup, PreEscaped, html};

use super::icon;
use super::part::wide;
use crate::format::{counted, duration, grouped, percent, short_day};

/// Calls of a day below which its stitch is hollow.
const FEW: u64 = 20;
/// Share below which a stitch counts as dropped, in ten-thousandths.
const DROPPED: u64 = 9_850;
/// The axis of shares: its top and bottom, in pixels, and the share at the bottom, in ten-thousandths.
const TOP: f64 = 18.0;
const HEIGHT: f64 = 86.0;

/// Both plots of a listing's 30 days, and their table.
pub(crate) fn record(report: &Report, today: i32) -> Markup {
    let days: Vec<(i32, Option<&DayFigures>)> =
        (today - WINDOW_DAYS + 1..=today).map(|day| (day, report.days.iter().find(|figures| figures.day == day))).collect();
    html! {
        div.pair {
            (deliveries(report, &days))
            (times(report, &days))
            @if !report.days.is_empty() { (table(report)) }
        }
    }
}

/// The middle of a day's column, in percent.
#[expect(clippy::cast_precision_loss, reason = "at most 30")]
fn middle(at: usize, of: usize) -> f64 {
    (at as f64 + 0.5) * 100.0 / of as f64
}

#[expect(clippy::cast_precision_loss, reason = "calls of a day")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn axis(lines: &[(f64, &str)]) -> String {
    let mut out = String::new();
    for (y, label) in lines {
        let _ = write!(
            out,
            r#"<line class="axis" x1="0" x2="100%" y1="{y}" y2="{y}"/><text x="-8" y="{}" text-anchor="end">{label}</text>"#,
            y + 4.0
        );
    }
    out
}

/// The first, the middle and the last day, under a plot.
fn dates(days: &[(i32, Option<&DayFigures>)]) -> String {
    let mut out = String::new();
    for (x, anchor, at) in [("0%", "start", 0), ("50%", "middle", days.len() / 2), ("100%", "end", days.len() - 1)] {
        let _ = write!(out, r#"<text x="{x}" y="126" text-anchor="{anchor}">{}</text>"#, name(days[at].0));
    }
    out
}

fn name(day: i32) -> String {
    short_day(from_unix_ms(day_start_ms(day)))
}

/// A gap in the row, on a day without calls.
fn miss(out: &mut String, day: i32, x: f64) {
    let _ = write!(
        out,
        r#"<g><title>{}: no calls</title><line class="miss" x1="{:.2}%" x2="{:.2}%" y1="{TOP}" y2="{TOP}"/></g>"#,
        name(day),
        x - 0.9,
        x + 0.9
    );
}

fn deliveries(report: &Report, days: &[(i32, Option<&DayFigures>)]) -> Markup {
    let figures = &report.figures;
    let worst = report.days.iter().map(|day| share(day.delivered, day.delivered + day.undelivered)).fold(1.0, f64::min);
    // The axis begins where the worst day hangs, so that small drops are seen.
    let (bottom, labels) = match worst {
        w if w >= 0.9 => (0.9, ["100 %", "95 %", "90 %"]),
        w if w >= 0.5 => (0.5, ["100 %", "75 %", "50 %"]),
        _ => (0.0, ["100 %", "50 %", "0 %"]),
    };
    let mut drawn = axis(&[(TOP, labels[0]), (TOP + HEIGHT / 2.0, labels[1]), (TOP + HEIGHT, labels[2])]);
    for (at, (day, figures)) in days.iter().enumerate() {
        let x = middle(at, days.len());
        let Some(figures) = figures else {
            miss(&mut drawn, *day, x);
            continue;
        };
        let calls = figures.delivered + figures.undelivered;
        let y = TOP + (1.0 - share(figures.delivered, calls)) / (1.0 - bottom) * HEIGHT;
        let class = match (figures.delivered * 10_000 < DROPPED * calls, calls < FEW) {
            (true, _) => "off",
            (false, true) => "few",
            (false, false) => "full",
        };
        let _ = write!(drawn, "<g><title>{}: {} of {} delivered</title>", name(*day), figures.delivered, calls);
        if y > TOP + 4.0 {
            let _ = write!(drawn, r#"<line class="drop" x1="{x:.2}%" x2="{x:.2}%" y1="{TOP}" y2="{y:.1}"/>"#);
        }
        let _ = write!(drawn, r#"<ellipse class="{class}" cx="{x:.2}%" cy="{y:.1}" rx="1.35%" ry="3.6"/></g>"#);
    }
    drawn.push_str(&dates(days));
    let said = match figures.calls {
        0 => "No calls in 30 days.".to_owned(),
        calls => format!(
            "{} of {} {} delivered.",
            grouped(figures.delivered),
            counted(calls, "call", "calls"),
            if figures.delivered == 1 { "was" } else { "were" }
        ),
    };
    html! {
        figure.plot {
            figcaption { b { "Delivered" } span { (said) } }
            (drawing("p1", "Share of calls delivered, by day", &said, &drawn))
            ul.legend {
                li { svg.good aria-hidden="true" { use href="#i-chain" {} } "a day, at its share" }
                li { svg.good aria-hidden="true" { use href="#i-open" {} } "fewer than 20 calls" }
                li { svg.bad aria-hidden="true" { use href="#i-chain" {} } "below 98.5 %" }
                li { (icon::decorative("i-bar")) "no calls" }
            }
        }
    }
}

fn times(report: &Report, days: &[(i32, Option<&DayFigures>)]) -> Markup {
    let slowest = report.days.iter().filter_map(|day| day.p95_ms.or(day.p50_ms)).max().unwrap_or(0);
    let top = round_up(slowest);
    let at_height = |ms: u32| TOP + HEIGHT - f64::from(ms) / f64::from(top.max(1)) * HEIGHT;
    let labels = if slowest == 0 { ["".to_owned(), String::new()] } else { [duration(top), duration(top / 2)] };
    let mut drawn = axis(&[(TOP, &labels[0]), (TOP + HEIGHT / 2.0, &labels[1]), (TOP + HEIGHT, "0")]);
    for (at, (day, figures)) in days.iter().enumerate() {
        let x = middle(at, days.len());
        let Some((median, p95)) =
            figures.and_then(|figures| figures.p50_ms.map(|median| (median, figures.p95_ms.unwrap_or(median))))
        else {
            let y = TOP + HEIGHT;
            let _ = write!(
                drawn,
                r#"<g><title>{}: no answers</title><line class="miss" x1="{:.2}%" x2="{:.2}%" y1="{y}" y2="{y}"/></g>"#,
                name(*day),
                x - 0.9,
                x + 0.9
            );
            continue;
        };
        let (low, high) = (at_height(median), at_height(p95));
        let _ = write!(
            drawn,
            r#"<g><title>{}: half within {}, 95 of 100 within {}</title><line class="yarn" x1="{x:.2}%" x2="{x:.2}%" y1="{low:.1}" y2="{high:.1}"/><line class="yarn" x1="{:.2}%" x2="{:.2}%" y1="{high:.1}" y2="{high:.1}"/><ellipse class="full" cx="{x:.2}%" cy="{low:.1}" rx="1.2%" ry="3"/></g>"#,
            name(*day),
            duration(median),
            duration(p95),
            x - 1.1,
            x + 1.1
        );
    }
    drawn.push_str(&dates(days));
    let said = match (report.figures.p50_ms, report.figures.p95_ms) {
        (Some(median), Some(p95)) => {
            format!("Half of the answers took {} or less, 95 of 100 took {} or less.", duration(median), duration(p95))
        }
        _ => "No answers in 30 days.".to_owned(),
    };
    html! {
        figure.plot {
            figcaption { b { "Time to answer" } span { "The seller’s own time: from the call forwarded to the answer’s last byte." } }
            (drawing("p2", "Time to answer, by day", &said, &drawn))
            ul.legend { li {
                svg.good viewBox="0 0 14 14" aria-hidden="true" { path fill="none" stroke="currentColor" stroke-width="1.5" d="M7 12V2M3 2h8" {} ellipse cx="7" cy="11.5" rx="3.4" ry="2.5" {} }
                "stitch at p50, bar at p95"
            } }
        }
    }
}

fn drawing(id: &str, title: &str, about: &str, drawn: &str) -> Markup {
    html! {
        svg height="132" role="img" aria-labelledby={ (id) "-t" } aria-describedby={ (id) "-d" } {
            title id={ (id) "-t" } { (title) }
            desc id={ (id) "-d" } { (about) }
            (PreEscaped(drawn))
        }
    }
}

/// The next round number of milliseconds: 1, 2, 4 or 8 times a power of ten.
fn round_up(ms: u32) -> u32 {
    let mut step = 10;
    loop {
        for factor in [1, 2, 4, 8] {
            if step * factor >= ms {
                return step * factor;
            }
        }
        step *= 10;
        if step >= 100_000_000 {
            return ms;
        }
    }
}

fn table(report: &Report) -> Markup {
    let table = html! {
        table {
            thead { tr { th scope="col" { "Day (UTC)" } th.n scope="col" { "Calls" } th.n scope="col" { "Delivered" } th.n scope="col" { "Share" } th.n scope="col" { "p50" } th.n scope="col" { "p95" } } }
            tbody { @for day in report.days.iter().rev() {
                @let calls = day.delivered + day.undelivered;
                @let at = from_unix_ms(day_start_ms(day.day));
                tr {
                    th scope="row" { time datetime=(at.date().to_string()) { (short_day(at)) } }
                    td.n { (grouped(calls)) }
                    td.n { (grouped(day.delivered)) }
                    td.n { @if calls >= 50 { (percent(day.delivered, calls)) } @else { (day.delivered) " of " (calls) } }
                    td.n { @match day.p50_ms { Some(ms) => { (duration(ms)) } None => { "–" } } }
                    td.n { @match day.p95_ms { Some(ms) => { (duration(ms)) } None => { "–" } } }
                }
            } }
        }
    };
    html! { details.small { summary { "The same as a table" } (wide("Calls by day", &table)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        assert_eq!([0, 7, 62, 190, 1_000, 4_120, 29_000].map(round_up), [10, 10, 80, 200, 1_000, 8_000, 40_000]);
    }
}
