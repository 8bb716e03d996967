//! Dependencies: their licences and sources, and the bill of materials.

use std::path::Path;

use serde_json::{Value, json};

use crate::project::{Project, write};
use crate::{command, tools};

/// Runs cargo-deny with the rules of `deny.toml`. Advisories are left out, because they need a Git repository.
///
/// # Errors
/// If cargo-deny cannot be installed, or a rule is broken.
pub(crate) fn deny(project: &Project) -> Result<(), String> {
    let mut deny = project.command(tools::lint_programs(project)?.join("cargo-deny"));
    command::run(deny.args(["--locked", "--log-level", "warn", "check", "licenses", "bans", "sources"]))
}

/// Writes the bill of materials of the shipped functions as CycloneDX JSON.
///
/// # Errors
/// If `Cargo.lock` would have to change, or the file cannot be written.
pub(crate) fn bill_of_materials(project: &Project, to: &Path) -> Result<(), String> {
    let metadata = ["metadata", "--locked", "--format-version", "1", "--filter-platform", "aarch64-unknown-linux-gnu"];
    let text = command::capture(&mut project.cargo(&metadata))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    let bill = bill(&metadata);
    let count = bill["components"].as_array().map_or(0, Vec::len);
    write(to, &serde_json::to_string_pretty(&bill).map_err(|error| error.to_string())?)?;
    println!("{}: {count} components", to.display());
    Ok(())
}

fn bill(metadata: &Value) -> Value {
    let shipped = shipped(metadata);
    let mut components: Vec<Value> = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        // What has no source is a part of this project.
        if package["source"].is_null() || !shipped.contains(&text(package, "id")) {
            continue;
        }
        let (name, version) = (text(package, "name"), text(package, "version"));
        components.push(json!({
            "type": "library",
            "bom-ref": format!("pkg:cargo/{name}@{version}"),
            "name": name,
            "version": version,
            "purl": format!("pkg:cargo/{name}@{version}"),
            "licenses": [{ "expression": text(package, "license").replace('/', " OR ") }],
        }));
    }
    components.sort_by_key(|component| component["bom-ref"].to_string());
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": { "type": "application", "name": "crochet", "version": env!("CARGO_PKG_VERSION") } },
        "components": components,
    })
}

/// The ids of the packages that the functions are built of: what their crates depend on, tests and build scripts left out.
fn shipped(metadata: &Value) -> Vec<&str> {
    let nodes = metadata["resolve"]["nodes"].as_array().map_or(&[][..], Vec::as_slice);
    let is_function = |package: &&Value| text(package, "manifest_path").contains("/functions/") && package["source"].is_null();
    let functions = metadata["packages"].as_array().into_iter().flatten().filter(is_function);
    let mut found: Vec<&str> = functions.map(|package| text(package, "id")).collect();
    let mut next = 0;
    while let Some(id) = found.get(next).copied() {
        next += 1;
        let node = nodes.iter().find(|node| text(node, "id") == id);
        for dependency in node.and_then(|node| node["deps"].as_array()).into_iter().flatten() {
            let is_normal = dependency["dep_kinds"].as_array().into_iter().flatten().any(|kind| kind["kind"].is_null());
            let id = text(dependency, "pkg");
            if is_normal && !found.contains(&id) {
                found.push(id);
            }
        }
    }
    found
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bill_lists_what_is_shipped_and_nothing_else() {
        let package = |id: &str, source: Option<&str>, path: &str| json!({ "id": id, "name": id, "version": "1.0.0", "license": "MIT/Apache-2.0", "source": source, "manifest_path": path });
        let dep = |id: &str, kind: Option<&str>| json!({ "pkg": id, "dep_kinds": [{ "kind": kind }] });
        let metadata = json!({
            "packages": [
                package("site", None, "/p/functions/site/Cargo.toml"),
                package("serde", Some("registry"), "/r/serde/Cargo.toml"),
                package("itoa", Some("registry"), "/r/itoa/Cargo.toml"),
                package("only-for-tests", Some("registry"), "/r/x/Cargo.toml"),
            ],
            "resolve": { "nodes": [
                { "id": "site", "deps": [dep("serde", None), dep("only-for-tests", Some("dev"))] },
                { "id": "serde", "deps": [dep("itoa", None)] },
            ] },
        });
        let bill = bill(&metadata);
        let names: Vec<&str> = bill["components"].as_array().expect("a list").iter().map(|c| text(c, "name")).collect();
        assert_eq!(names, ["itoa", "serde"]);
        assert_eq!(bill["components"][0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
    }

    /// A tag of somebody else's repository can be moved; a commit cannot.
    #[test]
    fn the_actions_of_the_workflows_are_pinned_by_commit() {
        let project = Project::locate().expect("a workspace");
        let directory = std::fs::read_dir(project.root.join(".github/workflows")).expect("the workflows");
        let mut seen = 0;
        for file in directory {
            let workflow = std::fs::read_to_string(file.expect("a file").path()).expect("a workflow");
            for action in workflow.lines().filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix("uses: ")) {
                let commit = action.split_once('@').and_then(|(_, rest)| rest.split_once(" # v")).map(|(commit, _)| commit);
                assert!(
                    commit.is_some_and(|c| c.len() == 40 && c.bytes().all(|b| b.is_ascii_hexdigit())),
                    "write {action} as owner/name@<commit> # v<version>"
                );
                seen += 1;
            }
        }
        assert!(seen > 0, "no workflow uses an action: this test reads the wrong place");
    }
}
