//! docs/verify-signatures.md and the programs on it.

/// The page.
pub const PAGE: &str = include_str!("../../docs/verify-signatures.md");

/// The page's one snippet in this language.
pub fn snippet(language: &str) -> &'static str {
    let opening = format!("```{language}\n");
    let mut blocks = PAGE.split(&opening).skip(1);
    let block = blocks.next().expect("the page has a snippet in this language");
    assert!(blocks.next().is_none(), "several snippets in {language}: which one is proved?");
    block.split("```\n").next().unwrap_or_default()
}
