//! Keys of rate counters, budgets and gates.

use super::key::Key;

/// A counter of what `subject` did in the window that began at `window_start` (Unix seconds).
#[must_use]
pub fn counter(subject: &str, window_start: i64) -> Key {
    Key::new(format!("RATE#{subject}#{window_start}"), "RATE")
}

/// What was spent of a budget in one minute, by holder.
#[must_use]
pub fn budget(name: &str, minute: i64) -> Key {
    Key::new(format!("BUDGET#{name}#{minute}"), "BUDGET")
}

/// What the operator may close, with what has passed today.
#[must_use]
pub fn gate(name: &str) -> Key {
    Key::new(format!("GATE#{name}"), "GATE")
}
