//! The Go of outside clients: their modules at pinned versions and hashes, inside the target directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;
use crate::project::{Project, write};
use crate::tools::stamped;

/// Where Go's own installer puts it, which is often missing from `PATH`.
const USUAL_PLACE: &str = "/usr/local/go/bin/go";

/// What outside clients in Go use: module, version, and the hashes that go.sum holds of its files and its go.mod.
const MODULES: [(&str, &str, &str, &str); 1] = [(
    "github.com/standard-webhooks/standard-webhooks/libraries",
    "v0.0.1",
    "uOfcYT+3QungH6tIGSVCR/Y3KJmgJiHcojJbMTPDZAI=",
    "L1MQhA6x4dn9r007T033lsaZMv9EmBAdXyU/+EF40fo=",
)];

/// The oldest Go that builds them.
const LANGUAGE: &str = "1.21";

/// A Go and what it builds with.
#[derive(Debug, Clone)]
pub(crate) struct Go {
    /// The program.
    pub(crate) program: PathBuf,
    /// A directory with go.mod and go.sum, and in `modules` and `build` what Go keeps.
    pub(crate) directory: PathBuf,
}

impl Go {
    /// What an earlier run has installed, without installing anything.
    pub(crate) fn installed(project: &Project) -> Option<Self> {
        let directory = directory(project);
        let program = program()?;
        crate::tools::is_stamped(&directory, &pins()).then_some(Self { program, directory })
    }

    /// Downloads the modules. `None` where this machine has no Go that is recent enough: it is no requirement.
    ///
    /// # Errors
    /// When the module proxy cannot be reached, or has other files than were pinned.
    pub(crate) fn install(project: &Project) -> Result<Option<Self>, String> {
        let Some(program) = program() else { return Ok(None) };
        let directory = directory(project);
        stamped(&directory, &pins(), || {
            write(&directory.join("go.mod"), &go_mod())?;
            write(&directory.join("go.sum"), &go_sum())?;
            let mut download = Command::new(&program);
            // No `-mod=mod`, which would write other versions and hashes into the two files.
            download.args(["mod", "download"]).current_dir(&directory).envs(environment(&directory));
            command::run(&mut download)
        })?;
        Ok(Some(Self { program, directory }))
    }
}

/// Everything that Go keeps stays inside the directory, where it can be deleted.
fn environment(directory: &Path) -> [(&'static str, PathBuf); 4] {
    [
        ("GOMODCACHE", directory.join("modules")),
        ("GOCACHE", directory.join("build")),
        ("GOFLAGS", "-modcacherw".into()),
        // The toolchain that is there, and no other that it would download.
        ("GOTOOLCHAIN", "local".into()),
    ]
}

fn directory(project: &Project) -> PathBuf {
    project.target.join("go")
}

/// A Go that is recent enough.
fn program() -> Option<PathBuf> {
    [Path::new("go"), Path::new(USUAL_PLACE)].into_iter().find(|go| is_recent(go)).map(Path::to_owned)
}

fn is_recent(go: &Path) -> bool {
    let asked = command::capture(Command::new(go).args(["env", "GOVERSION"]).env("GOTOOLCHAIN", "local"));
    asked.is_ok_and(|version| version_of(&version) >= version_of(LANGUAGE))
}

/// Major and minor of `go1.26.8` or `1.21`.
fn version_of(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().trim_start_matches("go").split('.');
    let mut number = || parts.next()?.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    Some((number()?, number()?))
}

fn pins() -> Vec<&'static str> {
    MODULES.iter().flat_map(|(module, version, _, _)| [*module, *version]).collect()
}

fn go_mod() -> String {
    let requires = MODULES.iter().map(|(module, version, _, _)| format!("require {module} {version}\n"));
    format!("module endpoint\n\ngo {LANGUAGE}\n\n{}", requires.collect::<String>())
}

fn go_sum() -> String {
    let sums = MODULES
        .iter()
        .map(|(module, version, files, go_mod)| format!("{module} {version} h1:{files}\n{module} {version}/go.mod h1:{go_mod}\n"));
    sums.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(version_of("go1.26.8\n"), Some((1, 26)));
        assert_eq!(version_of("go1.27rc1"), Some((1, 27)));
        assert_eq!(version_of("devel"), None);
        assert!(version_of("go1.9") < version_of(LANGUAGE));
    }

    #[test]
    fn modules_are_pinned_by_version_and_hash() {
        assert!(go_mod().contains("\nrequire github.com/standard-webhooks/standard-webhooks/libraries v0.0.1\n"));
        assert_eq!(go_sum().lines().count(), 2 * MODULES.len());
    }
}
