//! An environment of `samconfig.toml`, and the programs that work on it.

use std::process::Command;

use crate::project::{Project, read};
use crate::{command, tools};

/// An environment of `samconfig.toml`.
#[derive(Debug)]
pub(super) struct Environment<'a> {
    pub(super) project: &'a Project,
    pub(super) name: &'a str,
}

impl<'a> Environment<'a> {
    /// # Errors
    /// If the name cannot be part of a stack's name.
    pub(super) fn new(project: &'a Project, name: &'a str) -> Result<Self, String> {
        let is_word = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if is_word && name.starts_with(|first: char| first.is_ascii_lowercase()) && name.len() <= 20 {
            Ok(Self { project, name })
        } else {
            Err(format!(
                "`{name}` is no name of an environment: use up to 20 lower-case letters, digits and hyphens, such as `prod`"
            ))
        }
    }

    /// The heading of its saved answers.
    pub(super) fn section(&self) -> String {
        format!("[{}.deploy.parameters]", self.name)
    }

    /// Whether its answers were saved.
    pub(super) fn is_known(&self) -> Result<bool, String> {
        let section = self.section();
        Ok(read(&self.project.root.join("samconfig.toml"))?.lines().any(|line| line.trim() == section))
    }

    /// The processor that its answers name, or else the template's default.
    pub(super) fn architecture(&self) -> Result<String, String> {
        Ok(command::capture(&mut self.python("architecture", &[])?)?.trim().to_owned())
    }

    /// A SAM command with the settings of this environment.
    pub(super) fn sam(&self, arguments: &[&str]) -> Result<Command, String> {
        let programs = tools::sam_programs(self.project)?;
        let mut sam = self.project.command(programs.join("sam"));
        sam.args(arguments).env("SAM_CLI_TELEMETRY", "0");
        // `build` is the same for every environment, and its settings are those of `default`.
        if arguments.first() != Some(&"build") {
            sam.args(["--config-env", self.name]);
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&path)));
        sam.env("PATH", path.map_err(|error| format!("PATH: {error}"))?);
        Ok(sam)
    }

    /// A command of `infra/tools/deployment.py`.
    pub(super) fn python(&self, action: &str, more: &[&str]) -> Result<Command, String> {
        let mut python = self.program("deployment.py")?;
        python.arg(action).arg(self.name).args(more);
        Ok(python)
    }

    /// `infra/tools/preflight.py`.
    pub(super) fn preflight(&self, more: &[&str]) -> Result<Command, String> {
        let mut python = self.program("preflight.py")?;
        python.arg(self.name).args(more);
        Ok(python)
    }

    /// A Python program of `infra/tools`, in the environment of the SAM CLI.
    fn program(&self, file: &str) -> Result<Command, String> {
        let mut python = self.project.command(tools::sam_programs(self.project)?.join("python"));
        python.arg(self.project.root.join("infra/tools").join(file));
        // Imports would leave files beside it.
        python.env("PYTHONDONTWRITEBYTECODE", "1");
        Ok(python)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_one_word() {
        let project = Project { root: "/".into(), target: "/".into() };
        for good in ["prod", "eu-west-2", "p"] {
            assert!(Environment::new(&project, good).is_ok(), "{good}");
        }
        for bad in ["", "Prod", "a b", "2nd", "a.b", "--help", "a-very-very-long-name"] {
            assert!(Environment::new(&project, bad).is_err(), "{bad}");
        }
    }
}
