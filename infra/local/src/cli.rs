//! The command line.

use std::path::PathBuf;

use crate::bench;

/// What `--help` prints.
pub const USAGE: &str = "\
Runs Crochet on this machine: site, API, sandbox Relay, demo seller, DynamoDB and Secrets Manager in one process.

Usage: cargo run -- [COMMAND] [--data DIR]

Commands:
  (none)       start everything and print the addresses
  parts        start everything except the site and the API, and print the environment of the functions
  demo         play a paid call from end to end, against the running stack or a new one
  smoke URL    make an authenticated call to a deployment, up to its 402
  generate     write the documents and route tables that are generated from the routers; --check lists the stale ones
  ledger-check [--endpoint URL] [--table NAME]
               add up the whole ledger of a table again, and fail if a call does not sum to zero (default: the running stack's table)
  restore-drill
               copy a market into a new table, point the functions at it, and check that everything goes on there
  bench [N]    benchmark the catalogue with N listings (default 100000); `cargo xtask bench catalog` builds it optimized

Options:
  --data DIR   store data in DIR instead of in memory
  --help       print this help

Environment:
  CROCHET_PORT                  first of five ports (default 9000)
  CROCHET_DYNAMODB_ENDPOINT     DynamoDB endpoint to use instead of the embedded database
  CROCHET_SANDBOX_WEBHOOK_URL   URL for the webhooks of the sandbox Relay (default: the gateway)
";

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Start everything.
    Everything,
    /// Start everything except the site and the API.
    Parts,
    /// Play the demo.
    Demo,
    /// Make a call to a deployment.
    Smoke {
        /// Its public URL.
        url: String,
    },
    /// Write the generated files, or list the stale ones.
    Generate {
        /// Only list the stale files.
        check: bool,
    },
    /// Add up the ledger.
    LedgerCheck {
        /// A DynamoDB that does not check signatures. The running stack's if absent.
        endpoint: Option<String>,
        /// The table. The running stack's if absent.
        table: Option<String>,
    },
    /// Restore a table, and go on with the copy.
    RestoreDrill,
    /// Benchmark the catalogue.
    Bench {
        /// Number of listings.
        listings: usize,
    },
    /// One cold start, run in a process of its own by the benchmark.
    ColdStart,
    /// Print the usage.
    Help,
}

/// The parsed command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    /// What to do.
    pub command: Command,
    /// Where to keep data.
    pub data: Option<PathBuf>,
}

/// Parses the arguments after the program's name.
///
/// # Errors
/// One sentence that names the unknown argument.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Arguments, String> {
    let mut parsed = Arguments { command: Command::Everything, data: None };
    let mut command = None;
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" | "help" => {
                return Ok(Arguments { command: Command::Help, data: None });
            }
            "--data" => {
                let directory = arguments.next().filter(|directory| !directory.is_empty() && !directory.starts_with('-'));
                parsed.data = Some(directory.ok_or("--data requires a directory.")?.into());
            }
            "parts" if command.is_none() => command = Some(Command::Parts),
            "demo" if command.is_none() => command = Some(Command::Demo),
            "smoke" if command.is_none() => {
                let url = arguments.next().filter(|url| url.starts_with("http://") || url.starts_with("https://"));
                command = Some(Command::Smoke { url: url.ok_or("smoke requires the URL of a deployment.")? });
            }
            "generate" if command.is_none() => command = Some(Command::Generate { check: false }),
            "ledger-check" if command.is_none() => command = Some(Command::LedgerCheck { endpoint: None, table: None }),
            "--endpoint" | "--table" if matches!(command, Some(Command::LedgerCheck { .. })) => {
                let value =
                    arguments.next().filter(|value| !value.is_empty()).ok_or_else(|| format!("{argument} requires a value."))?;
                if let Some(Command::LedgerCheck { endpoint, table }) = &mut command {
                    *(if argument == "--endpoint" { endpoint } else { table }) = Some(value);
                }
            }
            "restore-drill" if command.is_none() => command = Some(Command::RestoreDrill),
            "bench" if command.is_none() => command = Some(Command::Bench { listings: bench::LISTINGS }),
            "cold" if matches!(command, Some(Command::Bench { .. })) => command = Some(Command::ColdStart),
            number if matches!(command, Some(Command::Bench { .. })) && number.parse::<usize>().is_ok_and(|n| n > 0) => {
                command = number.parse().ok().map(|listings| Command::Bench { listings });
            }
            "--check" if matches!(command, Some(Command::Generate { .. })) => command = Some(Command::Generate { check: true }),
            other => {
                return Err(format!("\"{other}\" is not a known argument. See --help."));
            }
        }
    }
    parsed.command = command.unwrap_or(Command::Everything);
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Arguments, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn commands_and_options_in_any_order() {
        assert_eq!(parsed("").map(|line| line.command), Ok(Command::Everything));
        assert_eq!(parsed("--data x parts").map(|line| (line.command, line.data)), Ok((Command::Parts, Some("x".into()))));
        assert_eq!(parsed("demo --help").map(|line| line.command), Ok(Command::Help));
        assert!(parsed("--data").is_err());
        assert!(parsed("--data --help").is_err());
        assert!(parsed("demo parts").is_err());
        assert_eq!(parsed("bench").map(|line| line.command), Ok(Command::Bench { listings: 100_000 }));
        assert_eq!(parsed("bench 50").map(|line| line.command), Ok(Command::Bench { listings: 50 }));
        assert!(parsed("bench 0").is_err() && parsed("50").is_err());
        let check = Command::LedgerCheck { endpoint: Some("http://x".into()), table: Some("t".into()) };
        assert_eq!(parsed("ledger-check --table t --endpoint http://x").map(|line| line.command), Ok(check));
        assert!(parsed("ledger-check --table").is_err() && parsed("--table t").is_err());
        assert_eq!(parsed("smoke http://x").map(|line| line.command), Ok(Command::Smoke { url: "http://x".into() }));
        assert!(parsed("smoke").is_err() && parsed("smoke x").is_err());
        assert!(parsed("dmeo").is_err_and(|error| error.contains("dmeo")));
    }
}
