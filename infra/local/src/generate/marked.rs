//! Generated blocks between two marker lines of a file.

/// Replaces the text between the lines `{marker} {` and `{marker} }`.
pub(super) fn between(text: &str, marker: &str, block: &str) -> Result<String, String> {
    let missing = || format!("the markers of `{marker}` are missing");
    let (open, close) = (format!("# generated: {marker} {{"), format!("# generated: {marker} }}"));
    let start = text.find(&open).ok_or_else(missing)?;
    let body = start + text[start..].find('\n').ok_or_else(missing)? + 1;
    let end = body + text[body..].find(&close).ok_or_else(missing)?;
    let end = text[..end].rfind('\n').ok_or_else(missing)? + 1;
    Ok(format!("{}{block}{}", &text[..body], &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn only_the_marked_lines_change() {
        let text = "a\n  # generated: x {\nold\n  # generated: x }\nb\n";
        assert_eq!(between(text, "x", "new\n"), Ok("a\n  # generated: x {\nnew\n  # generated: x }\nb\n".into()));
        assert!(between(text, "y", "").is_err());
    }
}
