//! `generate`: documents and route tables, generated from the routers and committed.
//!
//! `--check` fails if a file is stale.

mod marked;
mod openapi;
mod reference;
mod routes;

use std::fs;
use std::path::{Path, PathBuf};

/// Requests and replies that were recorded from a running stack.
const EXAMPLES: &str = "docs/examples.json";

/// Writes every generated file. With `check`, reports the stale ones instead.
///
/// # Errors
/// One sentence that names the stale files, or the file that could not be read or written.
pub fn run(check: bool) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let recorded = serde_json::from_str(&read(&root, EXAMPLES)?).map_err(|error| format!("{EXAMPLES} is not JSON: {error}"))?;
    let document = openapi::document(&recorded);
    let routes = routes::of_groups();
    let files = [
        ("docs/openapi.json", format!("{:#}\n", document)),
        ("docs/api-reference.txt", reference::short(&document)),
        ("docs/api-reference-full.txt", reference::long(&document)),
        ("template.yaml", routes::into_template(&read(&root, "template.yaml")?, &read(&root, "infra/table.json")?, &routes)?),
        ("shared/src/http/routes.txt", routes::list(&document)),
        ("Cargo.toml", routes::into_manifest(&read(&root, "Cargo.toml")?, &routes)?),
    ];
    let mut stale = Vec::new();
    for (name, wanted) in files {
        let path: PathBuf = root.join(name);
        if fs::read_to_string(&path).unwrap_or_default() == wanted {
            continue;
        }
        if check {
            stale.push(name);
        } else {
            fs::write(&path, wanted).map_err(|error| format!("{name} could not be written: {error}"))?;
            println!("wrote {name}");
        }
    }
    if stale.is_empty() {
        Ok(())
    } else {
        Err(format!("Stale: {}. Run `cargo xtask generate` and commit what it writes.", stale.join(", ")))
    }
}

fn read(root: &Path, name: &str) -> Result<String, String> {
    fs::read_to_string(root.join(name)).map_err(|error| format!("{name} could not be read: {error}"))
}
