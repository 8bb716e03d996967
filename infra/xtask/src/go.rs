//! Go for the endpoint in Go: finding it, and downloading its pinned modules into the target directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;
use crate::project::Project;
use crate::tools::Tools;

/// Path of Go's installer, which is often not in `PATH`.
const USUAL_PLACE: &str = "/usr/local/go/bin/go";

/// The manifest, whose `go` line is the oldest supported Go, and the hashes of its modules.
const MANIFESTS: [&str; 2] = ["go.mod", "go.sum"];

/// A Go toolchain and its modules.
#[derive(Debug, Clone)]
pub(crate) struct Go {
    /// The program.
    pub(crate) program: PathBuf,
    /// A directory with go.mod, go.sum, and Go's caches in `modules` and `build`.
    pub(crate) directory: PathBuf,
}

impl Go {
    /// What an earlier run installed.
    pub(crate) fn installed(project: &Project) -> Option<Self> {
        let modules = modules(project);
        let program = program(&modules)?;
        modules.installed().then(|| Self { program, directory: modules.directory().to_owned() })
    }

    /// Downloads the modules. `None` if this machine has no recent Go, which is optional.
    ///
    /// # Errors
    /// If the module proxy is unreachable or its files do not match the hashes.
    pub(crate) fn install(project: &Project) -> Result<Option<Self>, String> {
        let modules = modules(project);
        let Some(program) = program(&modules) else { return Ok(None) };
        let directory = modules.directory().to_owned();
        modules.install(|_| {
            modules.copy_manifests()?;
            let mut download = Command::new(&program);
            // No `-mod=mod`, which would change the two files.
            download.args(["mod", "download"]).current_dir(&directory).envs(environment(&directory));
            command::run(&mut download)
        })?;
        Ok(Some(Self { program, directory }))
    }
}

/// Keeps Go's caches inside the directory.
pub(crate) fn environment(directory: &Path) -> [(&'static str, PathBuf); 4] {
    [
        ("GOMODCACHE", directory.join("modules")),
        ("GOCACHE", directory.join("build")),
        ("GOFLAGS", "-modcacherw".into()),
        // Use the installed toolchain and download no other.
        ("GOTOOLCHAIN", "local".into()),
    ]
}

fn modules(project: &Project) -> Tools {
    Tools::new(project, &MANIFESTS, "go")
}

/// A Go that is recent enough.
fn program(modules: &Tools) -> Option<PathBuf> {
    let oldest = language(&modules.pins().ok()?)?;
    let is_recent = |go: &&Path| {
        let asked = command::capture(Command::new(go).args(["env", "GOVERSION"]).env("GOTOOLCHAIN", "local"));
        asked.is_ok_and(|version| version_of(&version) >= Some(oldest))
    };
    [Path::new("go"), Path::new(USUAL_PLACE)].into_iter().find(is_recent).map(Path::to_owned)
}

/// Major and minor of a manifest's `go` line.
fn language(go_mod: &str) -> Option<(u32, u32)> {
    go_mod.lines().find_map(|line| version_of(line.strip_prefix("go ")?))
}

/// Major and minor of `go1.26.8` or `1.21`.
fn version_of(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().trim_start_matches("go").split('.');
    let mut number = || parts.next()?.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    Some((number()?, number()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(version_of("go1.26.8\n"), Some((1, 26)));
        assert_eq!(version_of("go1.27rc1"), Some((1, 27)));
        assert_eq!(version_of("devel"), None);
        assert!(version_of("go1.9") < version_of("1.21"));
    }

    #[test]
    fn the_manifest_names_the_oldest_go() {
        assert!(language(include_str!("../../tools/go.mod")) >= Some((1, 21)));
        assert_eq!(language("module x\n"), None);
    }
}
