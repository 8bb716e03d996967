//! The drawings of the site. Stitches differ in shape, so that nothing is said by colour alone.

use std::fmt::Write;
use std::sync::LazyLock;

use maud::{Markup, html};

/// The symbols that pages refer to by id.
pub(crate) static SPRITE: LazyLock<String> = LazyLock::new(|| {
    let mut sprite = format!(r#"<svg class="sprite" aria-hidden="true">{SYMBOLS}"#);
    for tier in 1..=5 {
        let _ = write!(sprite, r#"<symbol id="i-t{tier}" viewBox="0 0 38 8">"#);
        for (at, x) in ["4", "11.5", "19", "26.5", "34"].iter().enumerate() {
            let fill =
                if at < tier { r#"fill="currentColor""# } else { r#"fill="none" stroke="currentColor" stroke-opacity=".55""# };
            let _ = write!(sprite, r#"<ellipse cx="{x}" cy="4" rx="2.9" ry="2.3" {fill}/>"#);
        }
        sprite.push_str("</symbol>");
    }
    sprite.push_str("</svg>");
    sprite
});

const SYMBOLS: &str = concat!(
    r#"<symbol id="i-mark" viewBox="0 0 16 16"><path fill="none" stroke="currentColor" stroke-width="1.9" transform="rotate(45 8 8)" d="M5.5 8.8V2.6a2.5 2.5 0 0 1 5 0v1.2M10.5 7.2v6.2a2.5 2.5 0 0 1-5 0v-1.2M7.2 5.5h6.2a2.5 2.5 0 0 1 0 5h-1.2M8.8 10.5H2.6a2.5 2.5 0 0 1 0-5h1.2"/></symbol>"#,
    r#"<symbol id="i-verified" viewBox="0 0 16 16"><path d="M8 0a8 8 0 1 1 0 16A8 8 0 0 1 8 0Zm3.7 4.7L7 9.6 4.5 7.2 3.2 8.6 7 12.3l6-6.2Z"/></symbol>"#,
    r#"<symbol id="i-copy" viewBox="0 0 16 16"><path fill="none" stroke="currentColor" stroke-width="1.4" d="M5.5 5.5h8v8h-8zM10.5 5V2.5h-8v8H5"/></symbol>"#,
    r#"<symbol id="i-search" viewBox="0 0 16 16"><path fill="none" stroke="currentColor" stroke-width="1.6" d="m10.8 10.8 4 4M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Z"/></symbol>"#,
    r#"<symbol id="i-chain" viewBox="0 0 16 16"><ellipse cx="8" cy="8" rx="6.5" ry="4.2"/></symbol>"#,
    r#"<symbol id="i-open" viewBox="0 0 16 16"><ellipse cx="8" cy="8" rx="6" ry="3.7" fill="none" stroke="currentColor" stroke-width="1.6"/></symbol>"#,
    r#"<symbol id="i-dash" viewBox="0 0 16 16"><ellipse cx="8" cy="8" rx="6" ry="3.7" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.6 2"/></symbol>"#,
    r#"<symbol id="i-bar" viewBox="0 0 16 16"><path fill="none" stroke="currentColor" stroke-width="1.8" d="M2 8h12"/></symbol>"#,
    r#"<symbol id="i-cross" viewBox="0 0 16 16"><path fill="none" stroke="currentColor" stroke-width="1.8" d="M3 3l10 10M13 3 3 13"/></symbol>"#,
);

/// The border above the footer.
pub(crate) const EDGING: &str = r#"<svg class="edging" aria-hidden="true"><defs><pattern id="edging" width="13" height="9" patternUnits="userSpaceOnUse"><ellipse cx="6.5" cy="3.5" rx="5" ry="2.5" fill="none" stroke="currentColor" stroke-width="1.2"/></pattern></defs><rect width="100%" height="9" fill="url(#edging)"/></svg>"#;

/// The row with a stitch that has dropped.
pub(crate) const DROPPED: &str = r#"<svg class="edging dropped" viewBox="0 0 320 76" aria-hidden="true"><g fill="none" stroke="currentColor" stroke-width="2.5"><ellipse cx="20" cy="16" rx="15" ry="8"/><ellipse cx="60" cy="16" rx="15" ry="8"/><ellipse cx="100" cy="16" rx="15" ry="8"/><ellipse cx="140" cy="16" rx="15" ry="8"/><ellipse cx="220" cy="16" rx="15" ry="8"/><ellipse cx="260" cy="16" rx="15" ry="8"/><ellipse cx="300" cy="16" rx="15" ry="8"/><path d="M180 16v30" stroke-dasharray="3 4"/><ellipse cx="180" cy="57" rx="15" ry="8"/></g></svg>"#;

/// A symbol that says nothing which the words beside it do not say.
pub(crate) fn decorative(id: &str) -> Markup {
    html! { svg aria-hidden="true" { use href={ "#" (id) } {} } }
}

/// The mark of scores from 800 on.
pub(crate) fn verified() -> Markup {
    html! { svg.mark role="img" aria-label="Verified: score 800 or more" { use href="#i-verified" {} } }
}
