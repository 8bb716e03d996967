//! Words of sellers and buyers. They are text and never markup, and cannot change the text around them.

use maud::{Markup, html};
use unicode_general_category::{GeneralCategory, get_general_category};
use url::Url;

/// Marks over one letter that are kept. More of them grow out of their line.
const MAX_MARKS: usize = 4;
/// Characters of a long text that are shown at once.
const SHOWN_CHARS: usize = 480;

/// A text of others without control characters, characters that change the direction of text, invisible tags, and piles of marks.
/// Line breaks stay, and tabs become spaces.
pub(crate) fn cleaned(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut marks = 0;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let c = match c {
            '\r' if characters.peek() == Some(&'\n') => continue,
            '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
            '\t' => ' ',
            c if is_dangerous(c) => continue,
            c => c,
        };
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if marks <= MAX_MARKS {
            out.push(c);
        }
    }
    out
}

/// The same as one line.
pub(crate) fn line(text: &str) -> String {
    cleaned(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{180e}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn is_mark(c: char) -> bool {
    matches!(get_general_category(c), GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark)
}

/// A name of others, within a sentence of ours.
pub(crate) fn name(text: &str) -> Markup {
    html! { bdi { (line(text)) } }
}

/// A text of others: whole, or the first 480 characters and the rest in `details`. Links in it can be followed and lend no weight.
pub(crate) fn words(text: &str) -> Markup {
    let text = cleaned(text);
    let text = text.trim();
    let count = text.chars().count();
    html! {
        @if count <= SHOWN_CHARS {
            p.words { (linked(text)) }
        } @else {
            p.words { (linked(&beginning(text))) }
            details { summary { "All of it, " (crate::format::grouped(count as u64)) " characters" } p.words { (linked(text)) } }
        }
    }
}

/// The first characters of a long text, up to the end of a word where one is near.
fn beginning(text: &str) -> String {
    let short: String = text.chars().take(SHOWN_CHARS).collect();
    let end = short.rfind(char::is_whitespace).filter(|end| short.len() - end < 60).unwrap_or(short.len());
    format!("{} …", short[..end].trim_end())
}

/// A text with its web addresses as links.
fn linked(text: &str) -> Markup {
    html! { bdi { @for piece in pieces(text) {
        @match piece {
            Piece::Text(text) => { (text) }
            Piece::Link(url) => { a href=(url) rel="nofollow ugc noopener" { (url) } }
        }
    } } }
}

#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Link(&'a str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = ["https://", "http://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\'' | '`' | '…')).unwrap_or(from.len());
        let url = from[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '}']);
        if !before.is_empty() {
            found.push(Piece::Text(before));
        }
        let is_url = Url::parse(url)
            .is_ok_and(|parsed| parsed.host_str().is_some() && parsed.username().is_empty() && parsed.password().is_none());
        // A name in an address would look like the host: `https://bank.example@evil.example`.
        let taken = if is_url { url.len() } else { "https".len() };
        found.push(if is_url { Piece::Link(url) } else { Piece::Text(&from[..taken]) });
        rest = &from[taken..];
    }
    if !rest.is_empty() {
        found.push(Piece::Text(rest));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_change_the_text_around_it_is_gone() {
        assert_eq!(cleaned("a\u{202e}b\u{2066}c\u{0}d\u{feff}e\u{e0041}f"), "abcdef");
        assert_eq!(cleaned("a\r\nb\rc\u{2028}d\te"), "a\nb\nc\nd e");
        assert_eq!(line("  a\n\n b\t c "), "a b c");
        assert_eq!(cleaned(&format!("e{}", "\u{301}".repeat(40))).chars().count(), 5);
        assert_eq!(cleaned("👩\u{200d}🚀 नमस्ते"), "👩\u{200d}🚀 नमस्ते");
    }

    #[test]
    fn markup_is_text() {
        assert_eq!(
            name("<script>alert(1)</script> & \"x\"").into_string(),
            "<bdi>&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;x&quot;</bdi>"
        );
        let link = words("see https://a.example/x?y=1&z=\"onclick. and javascript:alert(1)").into_string();
        assert!(link.contains(r#"<a href="https://a.example/x?y=1&amp;z=" rel="nofollow ugc noopener">"#), "{link}");
        assert!(!link.contains("href=\"javascript"), "{link}");
        for none in ["https://", "http://[", "https://bank.example@evil.example/", "https://user:pass@h.example"] {
            assert!(!words(none).into_string().contains("<a "), "{none}");
        }
    }

    #[test]
    fn long_texts_begin_short() {
        let long = words(&"ab ".repeat(400)).into_string();
        assert!(long.contains("<summary>All of it, 1,199 characters</summary>"), "{long}");
        assert!(!words("short").into_string().contains("details"));
    }
}
