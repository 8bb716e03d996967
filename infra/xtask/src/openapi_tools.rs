//! Tools that read the OpenAPI document: generators, a linter and a tester.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::command;
use crate::dynamodb_local::java;
use crate::project::Project;
use crate::tools::{self, Tools};

const REQUIREMENTS: &str = "requirements-openapi.txt";
const MANIFEST: &str = "pom-openapi.xml";

/// The installed tools.
#[derive(Debug)]
pub(crate) struct OpenapiTools {
    /// The virtual environment of the packages.
    pub(crate) environment: PathBuf,
    /// Its Python. The packages' programs are beside it.
    pub(crate) python: PathBuf,
    /// The packages from npm.
    pub(crate) node_modules: PathBuf,
    /// The program that runs the generator.
    pub(crate) java: String,
    /// The generator's jar.
    pub(crate) generator: PathBuf,
    /// The versions of everything from PyPI and Maven Central.
    pub(crate) pins: String,
}

impl OpenapiTools {
    /// Installs what is missing.
    ///
    /// # Errors
    /// If Python, Node.js, Java or Maven is missing, or a registry cannot be reached.
    pub(crate) fn install(project: &Project) -> Result<Self, String> {
        let packages = Tools::new(project, &[REQUIREMENTS], "venv-openapi");
        let jars = Tools::new(project, &[MANIFEST], "openapi-generator");
        let java = java()?;
        jars.install(|pom| {
            if !command::exists("mvn") {
                return Err("no Maven (mvn) to download OpenAPI Generator".into());
            }
            let mut maven = Command::new("mvn");
            maven.current_dir(&project.root).args(["-q", "-B", "-Dstyle.color=never", "dependency:copy-dependencies"]);
            maven.args(["-DincludeScope=runtime", "-Dmdep.stripVersion=true"]);
            maven.arg(format!("-DoutputDirectory={}", jars.directory().display()));
            command::run(maven.arg("-f").arg(pom))
        })?;
        let environment = tools::venv(&packages)?;
        Ok(Self {
            python: environment.join("bin/python"),
            environment,
            node_modules: tools::node_modules(project)?,
            java,
            generator: jars.directory().join("openapi-generator-cli.jar"),
            pins: packages.pins()? + &jars.pins()?,
        })
    }

    /// A program from npm.
    pub(crate) fn npm(&self, name: &str) -> Command {
        let mut command = Command::new(self.node_modules.join(".bin").join(name));
        // It asks for newer versions of itself, and tells its maker about its use.
        command.env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true").env("REDOCLY_TELEMETRY", "off");
        command
    }

    /// `PATH` with the programs from PyPI first.
    pub(crate) fn path(&self) -> OsString {
        let own = self.python.parent().map(PathBuf::from).into_iter();
        let usual = std::env::var_os("PATH").unwrap_or_default();
        std::env::join_paths(own.chain(std::env::split_paths(&usual))).unwrap_or(usual)
    }
}
