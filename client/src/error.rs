//! The one error of this crate.

use std::fmt;

/// A reply that the API reference does not promise here, or none at all. The text is one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnexpectedReply(pub String);

impl fmt::Display for UnexpectedReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UnexpectedReply {}
