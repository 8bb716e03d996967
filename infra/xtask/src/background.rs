//! Background processes that end with xtask.

use std::fs::{File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::shown;

/// Polling interval.
const POLL: Duration = Duration::from_millis(25);

/// Time to exit after SIGTERM, before SIGKILL.
const GRACE: Duration = Duration::from_secs(10);

/// Runs "$@" until it ends, or until standard input does: that happens when xtask drops its end of the pipe, however
/// xtask itself came to its end. `kill 0` reaches the whole process group, and so what the program started.
const SUPERVISOR: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
{ cat <&3 >/dev/null; kill -TERM 0; } &
wait "$program"
"#;

/// A running program. Dropping it ends its whole process group.
#[derive(Debug)]
pub(crate) struct Background {
    name: String,
    supervisor: Child,
    log: PathBuf,
}

impl Background {
    /// Starts a command that writes all its output to `log`.
    ///
    /// # Errors
    /// If the log cannot be opened or the shell cannot be started.
    pub(crate) fn start(name: &str, command: &Command, log: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{name}: `{}`: {error}", shown(command));
        let output: File = OpenOptions::new().create(true).append(true).open(log).map_err(failed)?;
        let mut supervisor = Command::new("sh");
        supervisor.args(["-c", SUPERVISOR, "sh"]).arg(command.get_program()).args(command.get_args());
        for (variable, value) in command.get_envs() {
            match value {
                Some(value) => supervisor.env(variable, value),
                None => supervisor.env_remove(variable),
            };
        }
        if let Some(directory) = command.get_current_dir() {
            supervisor.current_dir(directory);
        }
        supervisor.stdin(Stdio::piped()).stdout(output.try_clone().map_err(failed)?).stderr(output).process_group(0);
        let supervisor = supervisor.spawn().map_err(failed)?;
        Ok(Self { name: name.to_owned(), supervisor, log: log.to_owned() })
    }

    /// Polls `ready` until it returns a value.
    ///
    /// # Errors
    /// If the program exits first or `limit` passes. The error includes the end of the log.
    pub(crate) fn wait<T>(&mut self, limit: Duration, mut ready: impl FnMut() -> Option<T>) -> Result<T, String> {
        let started = Instant::now();
        loop {
            if let Some(value) = ready() {
                return Ok(value);
            }
            if let Ok(Some(status)) = self.supervisor.try_wait() {
                return Err(format!("{} exited ({status}) before it was ready\n{}", self.name, self.last_words()));
            }
            if started.elapsed() > limit {
                return Err(format!("{} was not ready after {} s\n{}", self.name, limit.as_secs(), self.last_words()));
            }
            std::thread::sleep(POLL);
        }
    }

    /// The output so far.
    pub(crate) fn written(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// The end of the log, for an error message.
    pub(crate) fn last_words(&self) -> String {
        let written = self.written();
        let lines: Vec<&str> = written.lines().collect();
        let tail = lines[lines.len().saturating_sub(30)..].join("\n");
        format!("--- {} ---\n{tail}\n---", self.log.display())
    }

    fn signal_group(&self, signal: &str) -> bool {
        Command::new("kill")
            .args([signal, "--", &format!("-{}", self.supervisor.id())])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let started = Instant::now();
        while started.elapsed() < GRACE {
            // Reaps the supervisor: a zombie still counts as a member of its group.
            let supervisor_ended = matches!(self.supervisor.try_wait(), Ok(Some(_)) | Err(_));
            if supervisor_ended && !self.signal_group("-0") {
                return;
            }
            std::thread::sleep(POLL);
        }
        self.signal_group("-KILL");
        // The group was just killed, so the outcome does not matter.
        let _ = self.supervisor.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("xtask-{name}-{}.log", std::process::id()))
    }

    #[test]
    fn a_dropped_program_ends_with_what_it_started() {
        let log = log("dropped");
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo $!; wait"]);
        let mut program = Background::start("sleeper", &command, &log).expect("a shell");
        let words = || std::fs::read_to_string(&log).ok().filter(|text| text.ends_with('\n'));
        let pid = program.wait(Duration::from_secs(10), words).expect("its child's id");
        drop(program);
        let alive = Command::new("kill").args(["-0", pid.trim()]).stderr(Stdio::null()).status().expect("kill runs");
        assert!(!alive.success(), "process {pid} is still there");
        std::fs::remove_file(log).expect("the log was ours");
    }

    #[test]
    fn a_program_that_ends_early_is_told_with_its_last_words() {
        let log = log("early");
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such thing; exit 3"]);
        let mut program = Background::start("loser", &command, &log).expect("a shell");
        let problem = program.wait(Duration::from_secs(10), || None::<()>).expect_err("it ended");
        assert!(problem.contains("loser exited") && problem.contains("no such thing"), "{problem}");
        std::fs::remove_file(log).expect("the log was ours");
    }
}
