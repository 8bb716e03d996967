//! Tools from PyPI and npm, at pinned versions, inside the target directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;
use crate::project::{Project, read, write};

/// What outside clients in Python use: signers, and the stock webhook verifier.
const CLIENT_PINS: &[&str] = &["eth-account==0.14.0", "PyNaCl==1.6.2", "standardwebhooks==1.1.0", "base58==2.1.1"];

/// SAM CLI builds Cargo workspaces since 1.170.
const SAM_PINS: &[&str] = &["aws-sam-cli==1.170.0", "cargo-lambda==1.9.2"];

/// What outside clients in JavaScript use.
const NODE_PINS: &[&str] = &["standardwebhooks@1.1.1", "playwright-core@1.65.1"];

/// The EVM node that contracts' wallets are tried on.
const ANVIL_VERSION: &str = "1.7.1";

/// The Python of outside clients.
///
/// # Errors
/// When there is no Python with `venv`, or PyPI cannot be reached.
pub(crate) fn clients_python(project: &Project) -> Result<PathBuf, String> {
    venv(&project.target.join("venv-clients"), CLIENT_PINS).map(|directory| directory.join("bin/python"))
}

/// The directory of `sam` and `cargo-lambda`, for `PATH`.
///
/// # Errors
/// As [`clients_python`].
pub(crate) fn sam_programs(project: &Project) -> Result<PathBuf, String> {
    venv(&project.target.join("venv-sam"), SAM_PINS).map(|directory| directory.join("bin"))
}

/// The `node_modules` of outside clients.
///
/// # Errors
/// When there is no npm, or its registry cannot be reached.
pub(crate) fn node_modules(project: &Project) -> Result<PathBuf, String> {
    let directory = project.target.join("node");
    npm(&directory, NODE_PINS)?;
    Ok(directory.join("node_modules"))
}

/// The EVM node of the suite, in a package for this machine alone; none where there is no such package.
///
/// # Errors
/// As [`node_modules`].
pub(crate) fn anvil(project: &Project) -> Result<Option<PathBuf>, String> {
    let Some(package) = anvil_package() else { return Ok(None) };
    npm(&project.target.join("anvil"), &[&format!("{package}@{ANVIL_VERSION}")])?;
    Ok(Some(anvil_program(project, package)))
}

fn anvil_package() -> Option<&'static str> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Some("@foundry-rs/anvil-linux-amd64"),
        ("linux", "aarch64") => Some("@foundry-rs/anvil-linux-arm64"),
        ("macos", "x86_64") => Some("@foundry-rs/anvil-darwin-amd64"),
        ("macos", "aarch64") => Some("@foundry-rs/anvil-darwin-arm64"),
        _ => None,
    }
}

fn anvil_program(project: &Project, package: &str) -> PathBuf {
    project.target.join("anvil/node_modules").join(package).join("bin/anvil")
}

fn npm(directory: &Path, pins: &[&str]) -> Result<(), String> {
    stamped(directory, pins, || {
        if !command::exists("npm") || !command::exists("node") {
            return Err("no Node.js with npm".into());
        }
        write(&directory.join("package.json"), "{ \"private\": true }\n")?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]).args(pins);
        command::run(npm.current_dir(directory))
    })
}

/// The EVM node that an earlier run has installed.
pub(crate) fn installed_anvil(project: &Project) -> Option<PathBuf> {
    let package = anvil_package()?;
    let pin = format!("{package}@{ANVIL_VERSION}");
    is_stamped(&project.target.join("anvil"), &[&pin]).then(|| anvil_program(project, package))
}

/// A Chromium of this machine; Debian's package is called `chromium`.
pub(crate) fn chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(command::find)
}

/// What an earlier run has installed, without installing anything: the clients' Python and `node_modules`.
pub(crate) fn installed_clients(project: &Project) -> (Option<PathBuf>, Option<PathBuf>) {
    let python = project.target.join("venv-clients");
    let node = project.target.join("node");
    (
        is_stamped(&python, CLIENT_PINS).then(|| python.join("bin/python")),
        is_stamped(&node, NODE_PINS).then(|| node.join("node_modules")),
    )
}

fn venv(directory: &Path, pins: &[&str]) -> Result<PathBuf, String> {
    let python = directory.join("bin/python");
    // A virtual environment dies with the interpreter that it points to.
    let works = command::output(Command::new(&python).args(["-c", ""])).is_ok_and(|output| output.status.success());
    if !works && directory.exists() {
        std::fs::remove_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    }
    stamped(directory, pins, || {
        if !command::exists("python3") {
            return Err("no python3".into());
        }
        command::run(Command::new("python3").args(["-m", "venv"]).arg(directory))?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(pins);
        command::run(&mut pip)
    })?;
    Ok(directory.to_owned())
}

/// Installs unless a stamp in the directory says that just these pins are there.
pub(crate) fn stamped(directory: &Path, pins: &[&str], install: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    if is_stamped(directory, pins) {
        return Ok(());
    }
    println!("installing {} into {}", pins.join(", "), directory.display());
    install()?;
    write(&stamp(directory), &pins.join("\n"))
}

/// Whether just these pins were installed into a directory.
pub(crate) fn is_stamped(directory: &Path, pins: &[&str]) -> bool {
    read(&stamp(directory)).is_ok_and(|text| text == pins.join("\n"))
}

fn stamp(directory: &Path) -> PathBuf {
    directory.join("stamp")
}
