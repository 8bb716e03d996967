//! Why a schema is refused.

use std::fmt;

/// Maximum length of one problem, in characters.
pub(super) const MAX_PROBLEM_CHARS: usize = 200;

/// Why a schema is refused. The text completes the sentence "the schema cannot be used: …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemaError(String);

impl SchemaError {
    pub(super) fn new(problem: impl fmt::Display) -> Self {
        Self(shorten(&problem.to_string()))
    }

    /// A problem at this JSON Pointer into the schema.
    pub(super) fn at(pointer: &str, problem: impl fmt::Display) -> Self {
        match pointer {
            "" => Self::new(format_args!("at its root: {problem}")),
            pointer => Self::new(format_args!("at {pointer}: {problem}")),
        }
    }
}

/// Cuts a text to the maximum length of one problem.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_PROBLEM_CHARS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
