//! `cargo xtask faults`: the long runs of the black-box suite, on the embedded database, optimised.

use crate::command;
use crate::project::Project;

/// Runs of the literal agent, and histories, in a run of all tests.
const SAMPLE: u64 = 500;

/// Which long runs to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Runs of the literal agent.
    agent: Option<u64>,
    /// Seeded histories.
    histories: Option<u64>,
}

impl Options {
    /// Parses the arguments of `faults`.
    ///
    /// # Errors
    /// On an unknown option, or one without a number.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let field = match *word {
                "--agent" => &mut options.agent,
                "--runs" => &mut options.histories,
                other => return Err(format!("faults has no option `{other}`")),
            };
            let number = words.next().and_then(|number| number.parse().ok()).filter(|number| *number > 0);
            *field = Some(number.ok_or_else(|| format!("{word} requires a number of runs"))?);
        }
        Ok(options)
    }

    /// The part of the tests' names, and the variable that asks for the run.
    fn parts(&self) -> Vec<(&'static str, &'static str, String)> {
        let runs = [
            ("literal_agent::", "CROCHET_FAULTS_AGENT", self.agent.map(|runs| runs.to_string())),
            ("histories::", "CROCHET_FAULTS_HISTORIES", self.histories.map(|runs| runs.to_string())),
        ];
        let parts: Vec<_> = runs.into_iter().filter_map(|(filter, variable, runs)| Some((filter, variable, runs?))).collect();
        if parts.is_empty() { vec![("system::faults::", "CROCHET_FAULTS_PAIRS", "all".into())] } else { parts }
    }
}

/// Runs what the options name, optimised; without options, every fault of every request of every plot. `CROCHET_SEED` repeats one
/// seeded run, and `CROCHET_FIRST_SEED` goes on from one.
///
/// # Errors
/// If something was found.
pub(crate) fn run(project: &Project, options: &Options) -> Result<(), String> {
    play(project, options, &["--profile", "measured"])
}

/// Runs a sample of agents and histories, as the suite is built already.
///
/// # Errors
/// If something was found.
pub(crate) fn sample(project: &Project) -> Result<(), String> {
    play(project, &Options { agent: Some(SAMPLE), histories: Some(SAMPLE) }, &[])
}

fn play(project: &Project, options: &Options, profile: &[&str]) -> Result<(), String> {
    for (filter, variable, value) in options.parts() {
        let mut suite = project.cargo(&["test", "--quiet"]);
        suite.args(profile).args(["--workspace", "--test", "blackbox", "--", "--nocapture", filter]);
        suite.env(variable, value);
        for seed in ["CROCHET_SEED", "CROCHET_FIRST_SEED"] {
            suite.envs(std::env::var(seed).map(|value| (seed, value)));
        }
        command::run(&mut suite)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_runs_become_variables() {
        let parts = |words: &[&str]| Options::parse(words).map(|options| options.parts());
        assert_eq!(parts(&[]).expect("all pairs")[0].1, "CROCHET_FAULTS_PAIRS");
        let both = parts(&["--runs", "5", "--agent", "7"]).expect("two parts");
        assert_eq!(both.iter().map(|part| part.2.as_str()).collect::<Vec<_>>(), ["7", "5"]);
        for wrong in [&["--agent"][..], &["--runs", "0"], &["--runs", "x"], &["--fast"]] {
            assert!(parts(wrong).is_err(), "{wrong:?}");
        }
    }
}
