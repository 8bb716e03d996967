//! Programs in other languages that use independent libraries.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::failure::Failure;

/// A script of `tests/clients` and its interpreter.
#[derive(Debug)]
pub struct Program {
    interpreter: PathBuf,
    script: PathBuf,
    node_modules: Option<PathBuf>,
    python_path: Option<PathBuf>,
}

impl Program {
    /// A Python script. `CROCHET_TEST_PYTHON` is a Python with its libraries.
    ///
    /// If it is unset, the test prints that it did not run and passes. On CI, it fails.
    #[must_use]
    pub fn python(script: &str) -> Option<Self> {
        let interpreter = setting("CROCHET_TEST_PYTHON")?;
        Some(Self { interpreter, script: clients().join(script), node_modules: None, python_path: None })
    }

    /// A JavaScript module. `CROCHET_TEST_NODE_MODULES` is the directory of its libraries.
    ///
    /// If it is unset, see [`Program::python`].
    #[must_use]
    pub fn javascript(script: &str) -> Option<Self> {
        let node_modules = setting("CROCHET_TEST_NODE_MODULES")?;
        let script = clients().join(script);
        Some(Self { interpreter: "node".into(), script, node_modules: Some(node_modules), python_path: None })
    }

    /// A script of `tests/clients/generated` over a Python client that was generated into `package`.
    /// `CROCHET_TEST_GENERATED_CLIENTS` is the directory of all generated clients.
    ///
    /// If it is unset, see [`Program::python`].
    #[must_use]
    pub fn generated_python(package: &str, script: &str) -> Option<Self> {
        let directory = setting("CROCHET_TEST_GENERATED_CLIENTS")?;
        Some(Self {
            interpreter: directory.join("venv/bin/python"),
            script: clients().join("generated").join(script),
            node_modules: None,
            python_path: Some(directory.join(package)),
        })
    }

    /// A compiled JavaScript module among the generated clients; see [`Program::generated_python`].
    #[must_use]
    pub fn generated_javascript(script: &str) -> Option<Self> {
        let script = setting("CROCHET_TEST_GENERATED_CLIENTS")?.join(script);
        Some(Self { interpreter: "node".into(), script, node_modules: None, python_path: None })
    }

    /// A compiled program among the generated clients; see [`Program::generated_python`].
    #[must_use]
    pub fn generated_binary(program: &str) -> Option<Self> {
        let interpreter = setting("CROCHET_TEST_GENERATED_CLIENTS")?.join(program);
        Some(Self { interpreter, script: PathBuf::new(), node_modules: None, python_path: None })
    }

    /// A JavaScript module that drives a browser, and the browser. `CROCHET_TEST_CHROMIUM` is the path of a Chromium.
    ///
    /// If it is unset, see [`Program::python`].
    #[must_use]
    pub fn browser(script: &str) -> Option<(Self, PathBuf)> {
        Some((Self::javascript(script)?, setting("CROCHET_TEST_CHROMIUM")?))
    }

    /// Runs it with `input` on standard input and parses the JSON that it prints.
    ///
    /// # Errors
    /// If it cannot be run, fails, or prints no JSON; with what it said.
    pub fn run(&self, input: &Value) -> Result<Value, Failure> {
        let mut command = Command::new(&self.interpreter);
        command.arg(&self.script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(node_modules) = &self.node_modules {
            command.env("NODE_MODULES", node_modules);
        }
        if let Some(python_path) = &self.python_path {
            command.env("PYTHONPATH", python_path);
        }
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.to_string().as_bytes())?;
        }
        let output = child.wait_with_output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Failure::new(format!("{} failed: {said}", self.script.display())));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// A tool that `cargo xtask test` found on this machine. If it is unset, the test prints that it did not run and passes. On CI,
/// it fails.
pub(crate) fn setting(name: &str) -> Option<PathBuf> {
    let set = std::env::var_os(name).filter(|value| !value.is_empty());
    if set.is_none() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{name} is not set, and on CI nothing may stay unproved");
        println!("not run: {name} is not set (cargo xtask test sets it)");
    }
    set.map(PathBuf::from)
}
