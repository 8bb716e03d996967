//! Parts that many pages have.

use crochet_domain::profile::{VERIFIED_SCORE, tier};
use maud::{Markup, PreEscaped, html};

use super::icon;

/// A button that copies the text of the element with this id. It takes its room, and is shown by the script.
pub(crate) fn copy(id: &str) -> Markup {
    html! { button.copy type="button" data-copy=(id) hidden { (icon::decorative("i-copy")) span { "Copy" } } }
}

/// One line of code with a copy button.
pub(crate) fn line(id: &str, code: &str) -> Markup {
    html! { div.line { code id=(id) { (code) } (copy(id)) } }
}

/// A block of code with a caption and a copy button. `id` is unique on its page.
pub(crate) fn code(id: &str, caption: &Markup, code: &Markup) -> Markup {
    html! { figure.code { figcaption { span { (caption) } (copy(id)) } pre id=(id) tabindex="0" { (code) } } }
}

/// Code as it is, with what the reader replaces in colour.
pub(crate) fn with_placeholders(code: &str, placeholders: &[&str]) -> Markup {
    let mut escaped = html! { (code) }.into_string();
    for placeholder in placeholders {
        let plain = html! { (placeholder) }.into_string();
        escaped = escaped.replace(&plain, &format!("<var>{plain}</var>"));
    }
    PreEscaped(escaped)
}

/// Tabs without a script: a label and its panel, each.
pub(crate) fn tabs(name: &str, legend: &str, tabs: &[(&str, Markup)]) -> Markup {
    html! {
        fieldset.tabs {
            legend.hide { (legend) }
            @for (at, (label, _)) in tabs.iter().enumerate() {
                @let id = format!("{name}-{}", at + 1);
                input type="radio" name=(name) id=(id) checked[at == 0]; label for=(id) { (label) }
            }
            div.panels { @for (_, panel) in tabs { div { (panel) } } }
        }
    }
}

/// A score with the stitches of its tier: `861 Elite`.
pub(crate) fn score(score: u16) -> Markup {
    let name = tier(score);
    html! { span.score { svg.tier aria-hidden="true" { use href={ "#i-t" (stitches(score)) } {} } (score) " " (name) } }
}

/// Number of stitches of a score, 1 to 5.
fn stitches(score: u16) -> usize {
    match score {
        0..400 => 1,
        400..700 => 2,
        700..800 => 3,
        800..900 => 4,
        _ => 5,
    }
}

/// The mark of an agent that is verified.
pub(crate) fn mark(score: u16) -> Markup {
    html! { @if score >= VERIFIED_SCORE { " " (icon::verified()) } }
}

/// A section of the sheet: its name in the margin, with a sentence or two, and the content beside.
pub(crate) fn sheet(id: &str, title: &str, about: &Markup, content: &Markup) -> Markup {
    html! { section.sheet aria-labelledby=(id) { header { h2 id=(id) { (title) } (about) } (content) } }
}

/// A wide table, which scrolls by itself. `name` says what it is of.
pub(crate) fn wide(name: &str, table: &Markup) -> Markup {
    html! { section.scroll tabindex="0" aria-label={ "Table: " (name) } { (table) } }
}

/// The search of listings.
pub(crate) fn search(query: &str) -> Markup {
    html! {
        form.find #find role="search" action="/marketplace" method="get" {
            div {
                label.hide for="q" { "Search listings" }
                (icon::decorative("i-search"))
                input #q type="search" name="q" value=[(!query.is_empty()).then_some(query)] placeholder="What should be done?" maxlength="200";
                kbd aria-hidden="true" { "/" }
            }
            button.btn type="submit" { "Search" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stitches_follow_the_tiers() {
        let shown = [0, 399, 400, 700, 800, 900, 1000].map(|score| (stitches(score), tier(score)));
        assert_eq!(
            shown,
            [(1, "Low"), (1, "Low"), (2, "Moderate"), (3, "Trusted"), (4, "Elite"), (5, "Exceptional"), (5, "Exceptional")]
        );
    }

    #[test]
    fn placeholders_are_marked_and_code_is_escaped() {
        let shown = with_placeholders("curl -H 'Bearer KEY' <x>", &["KEY"]).into_string();
        assert_eq!(shown, "curl -H 'Bearer <var>KEY</var>' &lt;x&gt;");
    }
}
