//! A directory of a test, in which it runs programs as a reader of the documentation would.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::names::unique_name;
use crate::programs::setting;

/// A temporary directory. Dropping it deletes it.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// An empty directory.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn new() -> Result<Self, Failure> {
        Self::inside(&std::env::temp_dir())
    }

    /// An empty directory from which JavaScript finds the suite's libraries. `None` if they are not installed.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn with_node_modules() -> Result<Option<Self>, Failure> {
        let Some(node_modules) = setting("CROCHET_TEST_NODE_MODULES") else { return Ok(None) };
        // Node looks for libraries in the directories above, too.
        Self::inside(node_modules.parent().unwrap_or(&node_modules)).map(Some)
    }

    fn inside(parent: &Path) -> Result<Self, Failure> {
        let directory = Self(parent.join(format!("test-{}", unique_name())));
        std::fs::create_dir_all(&directory.0)?;
        Ok(directory)
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file in it, and the directories above.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> Result<(), Failure> {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(&self.0))?;
        Ok(std::fs::write(path, text)?)
    }

    /// Reads a file in it.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(&self, name: &str) -> Result<String, Failure> {
        std::fs::read_to_string(self.0.join(name)).map_err(|error| Failure::new(format!("{name}: {error}")))
    }

    /// Runs a program in it and returns its standard output.
    ///
    /// # Errors
    /// If it cannot be started or fails; with what it said.
    pub fn run(&self, command: &mut Command) -> Result<String, Failure> {
        let output = command.current_dir(&self.0).stdin(Stdio::null()).output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(said);
        }
        Err(Failure::new(format!("{command:?}: {}\n{said}\n{}", output.status, String::from_utf8_lossy(&output.stderr))))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The Python with the suite's libraries, also for programs that are started as `python3`. `None` if it is not installed.
#[must_use]
pub fn python() -> Option<PathBuf> {
    setting("CROCHET_TEST_PYTHON")
}

/// A program that npm installed with the suite's libraries. `None` if they are not installed.
#[must_use]
pub fn npm_program(name: &str) -> Option<PathBuf> {
    setting("CROCHET_TEST_NODE_MODULES").map(|node_modules| node_modules.join(".bin").join(name))
}

/// The blocks of a Markdown page in this language, in their order.
#[must_use]
pub fn blocks(page: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    page.split(&opening).skip(1).filter_map(|rest| rest.split("\n```\n").next()).map(|block| format!("{block}\n")).collect()
}
