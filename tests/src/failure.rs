//! A test's failure: one sentence and the line.

use std::fmt;
use std::panic::Location;

/// The result of a test.
pub type Outcome = Result<(), Failure>;

/// A failed step. `?` records the line.
pub struct Failure {
    what: String,
    at: &'static Location<'static>,
    needs_own_process: bool,
}

impl Failure {
    /// A failure at the caller's line.
    #[track_caller]
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), at: Location::caller(), needs_own_process: false }
    }

    /// The failure of a test that looks into the stack, or moves what only a stack in this process has.
    #[track_caller]
    pub(crate) fn needs_own_process() -> Self {
        Self { needs_own_process: true, ..Self::new("this requires a stack in this process") }
    }

    /// Whether the test cannot run on a stack outside this process.
    pub(crate) fn is_of_own_process(&self) -> bool {
        self.needs_own_process
    }
}

impl<E: std::error::Error> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::new(error.to_string())
    }
}

/// The test runner prints this.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.at)
    }
}
