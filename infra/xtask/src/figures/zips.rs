//! Sizes of the functions' packages, from the last release build on this machine.

use std::fs;

use crate::project::Project;

/// The heading of the section.
pub(super) const HEADING: &str = "\n## Functions\n";

/// The section. Without a build, it says so.
pub(super) fn section(project: &Project) -> String {
    let mut rows = Vec::new();
    for built in fs::read_dir(project.target.join("lambda")).into_iter().flatten().flatten() {
        let zip = built.path().join("bootstrap.zip");
        if let Ok(known) = fs::metadata(&zip) {
            rows.push(format!("| {} | {:.2} MB |\n", built.file_name().to_string_lossy(), known.len() as f64 / 1e6));
        }
    }
    rows.sort();
    let command = "`cargo lambda build --release --arm64 --output-format zip`";
    if rows.is_empty() {
        return format!("{HEADING}\nNo packages were built where this page was made: run {command}, and make the page again.\n");
    }
    format!("{HEADING}\nPackages, built with {command}.\n\n| function | zip |\n|---|---|\n{}", rows.concat())
}
