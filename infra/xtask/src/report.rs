//! The report of a run: each step with its duration, and what was not tested.

use std::time::{Duration, Instant};

/// How a step ended.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed(String),
    /// It could not run on this machine, for this reason.
    NotProved(String),
}

/// The steps of one run, in their order.
#[derive(Debug)]
pub(crate) struct Report {
    started: Instant,
    /// Whether a step that cannot run counts as failed.
    strict: bool,
    steps: Vec<(String, Outcome, Duration)>,
    notes: Vec<String>,
}

impl Report {
    /// Creates an empty report. With `strict`, a step that cannot run counts as failed.
    pub(crate) fn new(strict: bool) -> Self {
        Self { started: Instant::now(), strict, steps: Vec::new(), notes: Vec::new() }
    }

    /// Runs one step. Returns its value, or `None` if it failed.
    pub(crate) fn step<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T, String>) -> Option<T> {
        println!("==> {name}");
        let started = Instant::now();
        let result = work();
        let took = started.elapsed();
        let (value, outcome) = match result {
            Ok(value) => (Some(value), Outcome::Passed),
            Err(problem) => {
                println!("{problem}");
                (None, Outcome::Failed(problem))
            }
        };
        println!("    {} in {}", if value.is_some() { "ok" } else { "FAILED" }, shown(took));
        self.steps.push((name.to_owned(), outcome, took));
        value
    }

    /// Records that a step could not run.
    pub(crate) fn not_proved(&mut self, name: &str, why: &str) {
        println!("==> {name}: not run: {why}");
        let outcome = if self.strict { Outcome::Failed } else { Outcome::NotProved };
        self.steps.push((name.to_owned(), outcome(why.to_owned()), Duration::ZERO));
    }

    /// Adds a line to the summary.
    pub(crate) fn note(&mut self, line: String) {
        self.notes.push(line);
    }

    /// Whether no step has failed.
    pub(crate) fn passed(&self) -> bool {
        !self.steps.iter().any(|(_, outcome, _)| matches!(outcome, Outcome::Failed(_)))
    }

    /// Prints the summary. `limits` is what this command does not test.
    pub(crate) fn finish(self, limits: &[&str]) -> bool {
        let passed = self.passed();
        println!("\n{}", self.summary(limits));
        passed
    }

    fn summary(&self, limits: &[&str]) -> String {
        let mut lines = vec!["Steps".to_owned()];
        for (name, outcome, took) in &self.steps {
            match outcome {
                Outcome::Passed => lines.push(format!("  ok      {name:<58} {:>9}", shown(*took))),
                Outcome::Failed(why) => {
                    let why = why.lines().next().unwrap_or_default();
                    lines.push(format!("  FAILED  {name:<58} {:>9}  {why}", shown(*took)));
                }
                Outcome::NotProved(_) => {}
            }
        }
        lines.extend(self.notes.iter().cloned());
        lines.push("Not tested".to_owned());
        for (name, outcome, _) in &self.steps {
            if let Outcome::NotProved(why) = outcome {
                lines.push(format!("  {name}: {why}"));
            }
        }
        lines.extend(limits.iter().map(|limit| format!("  {limit}")));
        let result = if self.passed() { "passed" } else { "FAILED" };
        lines.push(format!("Result: {result} in {}", shown(self.started.elapsed())));
        lines.join("\n")
    }
}

fn shown(took: Duration) -> String {
    match took.as_secs() {
        0..60 => format!("{:.1} s", took.as_secs_f64()),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_and_does_not_end_the_run() {
        let mut report = Report::new(false);
        assert_eq!(report.step("one", || Ok(1)), Some(1));
        assert_eq!(report.step("two", || Err::<(), _>("broken\nat length".into())), None);
        report.not_proved("three", "no engine");
        let summary = report.summary(&["four: only AWS shows it"]);
        assert!(summary.contains("FAILED  two") && summary.contains("broken") && !summary.contains("at length"));
        assert!(summary.contains("  three: no engine\n  four: only AWS shows it\nResult: FAILED"), "{summary}");
    }

    #[test]
    fn unproved_fails_a_strict_run_only() {
        let run = |strict| {
            let mut report = Report::new(strict);
            report.not_proved("x", "no java");
            report.passed()
        };
        assert!(run(false) && !run(true));
    }
}
