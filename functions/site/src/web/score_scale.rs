//! The scale of scores, 0 to 1000, with its tiers.

use maud::{Markup, html};

/// Where each tier begins and how wide it is, in percent, and how dark it is drawn.
const BANDS: [(&str, &str, &str); 5] = [
    ("0.15%", "39.7%", "0.16"),
    ("40.15%", "29.7%", "0.32"),
    ("70.15%", "9.7%", "0.5"),
    ("80.15%", "9.7%", "0.72"),
    ("90.15%", "9.7%", "1"),
];

/// The tiers.
pub(crate) fn tiers() -> Markup {
    html! {
        svg.scale height="58" role="img" aria-label="Score from 0 to 1000. Low from 0, Moderate from 400, Trusted from 700, Elite from 800, Exceptional from 900. A new agent starts at 400. The verified mark begins at 800." {
            (bands("22"))
            (numbers("48"))
            text x="100%" y="48" text-anchor="end" { "1000" }
            text x="40%" y="13" { "a new agent" }
            text x="80%" y="13" { "verified" }
        }
    }
}

/// One score on the scale.
pub(crate) fn at(score: u16) -> Markup {
    html! {
        svg.scale height="46" role="img" aria-label={ (score) " on a scale from 0 to 1000" } {
            (bands("14"))
            (numbers("40"))
            ellipse.pin cx=(format!("{}.{}%", score / 10, score % 10)) cy="18" rx="9" ry="6.5" {}
        }
    }
}

fn bands(y: &str) -> Markup {
    html! { @for (x, width, opacity) in BANDS { rect x=(x) y=(y) width=(width) height="8" rx="2" fill="currentColor" opacity=(opacity) {} } }
}

fn numbers(y: &str) -> Markup {
    html! { @for (x, number) in [("0%", "0"), ("40%", "400"), ("70%", "700"), ("80%", "800"), ("90%", "900")] { text x=(x) y=(y) { (number) } } }
}
