//! The workspace, and the target directory of builds and installed tools.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;

/// The workspace that xtask was started in.
#[derive(Debug)]
pub(crate) struct Project {
    /// The directory of the root Cargo.toml.
    pub(crate) root: PathBuf,
    /// Cargo's target directory: `target/`, or wherever `CARGO_TARGET_DIR` points.
    pub(crate) target: PathBuf,
}

impl Project {
    /// Asks cargo for the directories.
    ///
    /// # Errors
    /// If cargo cannot read the workspace.
    pub(crate) fn locate() -> Result<Self, String> {
        let mut metadata = Command::new(cargo());
        metadata.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        let text = command::capture(&mut metadata)?;
        let json: serde_json::Value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
        let directory =
            |field: &str| json[field].as_str().map(PathBuf::from).ok_or_else(|| format!("cargo metadata names no {field}"));
        Ok(Self { root: directory("workspace_root")?, target: directory("target_directory")? })
    }

    /// A cargo command in the workspace, without the caller's `CROCHET_*` settings.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(cargo());
        command.args(arguments);
        command
    }

    /// Runs `crochet-local` through cargo. It is selected with `--bin`: `--package` would narrow the features of its dependencies
    /// and build them a second time.
    pub(crate) fn local_stack(&self) -> Command {
        self.cargo(&["run", "--quiet", "--bin", "crochet-local", "--"])
    }

    /// A command in the workspace, without the caller's `CROCHET_*` settings, so that tests behave the same on every machine.
    /// The variables that `cargo run` sets for xtask are removed too: ring's build script reads them and would rebuild ring and
    /// its dependents whenever xtask and plain cargo alternate.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        let inherited = ["CROCHET_", "CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
        for (name, _) in std::env::vars_os() {
            if inherited.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command
    }

    /// A built binary of the development profile.
    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }

    /// Creates an empty log file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn log(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.target.join("xtask").join(format!("{name}.log"));
        write(&path, "")?;
        Ok(path)
    }
}

/// Writes a file and creates its parent directories.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    }
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Copies a file into a directory, under the same name.
pub(crate) fn copy(file: &Path, directory: &Path) -> Result<(), String> {
    let name = file.file_name().ok_or_else(|| format!("{} is no file", file.display()))?;
    write(&directory.join(name), &read(file)?)
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}
