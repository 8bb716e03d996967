//! Which patterns of a schema are accepted: what the engine can match in linear time, up to a size.
//!
//! A pattern is a regular expression of ECMA-262. Repetitions are unrolled when it is compiled, so its size grows with its counts and
//! with the number of characters that a class has.

use std::collections::BTreeMap;

use super::error::SchemaError;

/// Maximum size of a compiled pattern, in bytes. `^.{1,5000}$` fits.
pub(super) const MAX_PATTERN_BYTES: usize = 8 * 1024 * 1024;
/// Maximum size of what the engine keeps of a pattern's states while it matches, in bytes. With less, large patterns slow down.
pub(super) const MAX_STATES_BYTES: usize = 8 * 1024 * 1024;
/// Maximum size of all compiled patterns of a schema, in bytes.
const MAX_TOTAL_BYTES: usize = 16 * 1024 * 1024;
/// Sizes that are tried in turn. A pattern counts as the first that it fits into.
const SIZES: [usize; 4] = [64 * 1024, 512 * 1024, 2 * 1024 * 1024, MAX_PATTERN_BYTES];

/// Checks all patterns of a schema: each text with the place of its first use.
///
/// # Errors
/// [`SchemaError`], with the construct or size and what to use instead.
pub(super) fn check(patterns: &BTreeMap<String, String>) -> Result<(), SchemaError> {
    let mut total = 0;
    for (pattern, pointer) in patterns {
        total += size(pattern).map_err(|problem| SchemaError::at(pointer, problem))?;
    }
    if total > MAX_TOTAL_BYTES {
        return Err(SchemaError::new("its patterns compile to more than 16 MiB; limit lengths with maxLength instead of counts"));
    }
    Ok(())
}

/// The size that a pattern counts as.
fn size(pattern: &str) -> Result<usize, &'static str> {
    if let Some(problem) = unsupported(pattern) {
        return Err(problem);
    }
    let translated = jsonschema_regex::to_rust_regex(pattern).map_err(|()| "it is not a regular expression of ECMA-262")?;
    for size in SIZES {
        match regex::RegexBuilder::new(&translated).size_limit(size).build() {
            Ok(_) => return Ok(size),
            Err(regex::Error::CompiledTooBig(_)) => {}
            Err(_) => return Err("it is not a regular expression of ECMA-262"),
        }
    }
    Err("it compiles to more than 8 MiB; limit the length with maxLength, and use + or * or a smaller count")
}

/// Names a construct that no engine can match in linear time.
fn unsupported(pattern: &str) -> Option<&'static str> {
    let mut chars = pattern.chars();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('1'..='9') if !in_class => return Some(BACK_REFERENCE),
                Some('k') if !in_class && chars.as_str().starts_with('<') => return Some(BACK_REFERENCE),
                _ => {}
            },
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                let rest = chars.as_str();
                if rest.starts_with("?=") || rest.starts_with("?<=") {
                    return Some(LOOK_AROUND);
                }
                if rest.starts_with("?!") || rest.starts_with("?<!") {
                    return Some(NEGATIVE_LOOK_AROUND);
                }
            }
            _ => {}
        }
    }
    None
}

const BACK_REFERENCE: &str =
    "a back reference (\\1, \\k<name>) cannot be matched; list the alternatives, or check it at the endpoint";
const LOOK_AROUND: &str = "look-around ((?=…), (?<=…)) cannot be matched; put each condition into a pattern of its own in allOf";
const NEGATIVE_LOOK_AROUND: &str =
    "negative look-around ((?!…), (?<!…)) cannot be matched; put what is forbidden into a pattern of its own in not";
