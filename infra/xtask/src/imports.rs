//! Import cycles between the source files of the workspace.
//!
//! File A imports file B when code of A mentions an item that B defines: in a `use`, in a path, in a macro's arguments or in an
//! attribute. A mention is followed through modules, aliases and re-exports to the file of the definition, so an import through
//! a facade counts for the file behind the facade. Two things must be free of cycles:
//!
//! 1. **Sibling modules.** A module stands for its file and all files below it, so `app.rs` and `http/` may not import each
//!    other, whichever files of `http/` are involved.
//! 2. **Files.** A parent may import its children, and a child its parent, but not both: a parent whose code uses a child must
//!    not define what that child uses. Declaring a submodule (`mod x;`) and re-exporting its items (`pub use x::Y;`) are not
//!    imports.
//!
//! A path that ends at a module names no item and is no import; the paths that go through that module are. Code under
//! `#[cfg(test)]` is ignored, because a test may look at anything. Each target of each package is checked alone, because Cargo
//! itself forbids cycles between packages.
//!
//! Two kinds of dependency name no path and are invisible here: a method called on a value, and whatever a macro expands to.

mod graph;
mod modules;
mod reader;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command;
use crate::project::{Project, read};
use graph::Step;
use modules::Tree;

/// Fails when files of one target import each other in a circle.
///
/// # Errors
/// One line for each cycle; or when a source file cannot be read or parsed.
pub(crate) fn check(project: &Project) -> Result<(), String> {
    let metadata = command::capture(&mut project.cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let mut problems = Vec::new();
    for root in roots(&metadata) {
        problems.extend(cycles_of(&project.root, &root, &|file| read(file).ok())?);
    }
    problems.sort();
    problems.dedup();
    match problems.len() {
        0 => Ok(()),
        count => Err(format!("{count} import cycles:\n{}", problems.join("\n"))),
    }
}

/// The root source file of every target of the workspace.
fn roots(metadata: &Value) -> Vec<PathBuf> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let targets = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    targets.filter_map(|target| target["src_path"].as_str()).map(PathBuf::from).collect()
}

/// The cycles of one target, each as `a.rs -> b.rs (Item) -> a.rs (Item)`: an item in parentheses is what the file before imports.
fn cycles_of(workspace: &Path, root: &Path, source: &dyn Fn(&Path) -> Option<String>) -> Result<Vec<String>, String> {
    let tree = reader::read_target(root, source)?;
    let imports = imports_of(&tree);
    let siblings = imports.keys().filter_map(|step| Some((tree.siblings(*step)?, *step)));
    let files = imports.keys().map(|step| (*step, *step));
    let mut cycles = graph::cycles(siblings);
    // Those without a parent and its child among them are cycles of siblings too, and known by now.
    cycles.extend(graph::cycles(files).into_iter().filter(|cycle| cycle.iter().any(|step| tree.siblings(*step).is_none())));
    let name = |file: usize| {
        let path = &tree.files[file];
        path.strip_prefix(workspace).unwrap_or(path).display().to_string()
    };
    let shown = |cycle: &Vec<Step>| {
        let mut text = String::new();
        let mut end = None;
        for (from, to) in cycle {
            if end != Some(*from) {
                text.push_str(if end.is_some() { ", " } else { "" });
                text.push_str(&name(*from));
            }
            text.push_str(&format!(" -> {} ({})", name(*to), imports[&(*from, *to)]));
            end = Some(*to);
        }
        text
    };
    Ok(cycles.iter().map(shown).collect())
}

/// Which file imports which, each with the first item that is mentioned.
fn imports_of(tree: &Tree) -> BTreeMap<Step, String> {
    let mut imports = BTreeMap::new();
    for module in 0..tree.modules.len() {
        let file = tree.modules[module].file;
        for path in tree.mentions(module) {
            if let Some(target) = tree.definition(module, path).filter(|target| *target != file) {
                imports.entry((file, target)).or_insert_with(|| path.join("::"));
            }
        }
    }
    imports
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cycles of a crate that consists of these files.
    fn cycles(files: &[(&str, &str)]) -> Vec<String> {
        let source = |path: &Path| {
            let found = files.iter().find(|(name, _)| Path::new("/w").join(name) == path);
            found.map(|(_, text)| (*text).to_owned())
        };
        cycles_of(Path::new("/w"), Path::new("/w/lib.rs"), &source).expect("valid sources")
    }

    #[test]
    fn two_files_that_use_each_other_are_a_cycle() {
        let found = cycles(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B; pub struct A(B);"),
            ("b.rs", "pub struct B; fn f() { crate::a::A::new(); }"),
        ]);
        assert_eq!(found, ["a.rs -> b.rs (crate::b::B) -> a.rs (crate::a::A::new)"]);
    }

    #[test]
    fn a_longer_cycle_is_shown_as_a_path() {
        let found = cycles(&[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use super::b::B; pub struct A;"),
            ("b.rs", "use crate::c; pub struct B; fn f() { c::g() }"),
            ("c.rs", "pub fn g() { log!(\"{}\", crate::a::A) }"),
        ]);
        assert_eq!(found, ["a.rs -> b.rs (super::b::B) -> c.rs (c::g) -> a.rs (crate::a::A)"]);
    }

    #[test]
    fn sibling_modules_may_not_import_each_other_through_different_files() {
        let found = cycles(&[
            ("lib.rs", "mod app; mod http;"),
            ("app.rs", "use crate::http::limits::Limiter; pub struct App(Limiter);"),
            ("http.rs", "pub mod caller; pub mod limits;"),
            ("http/caller.rs", "use crate::app::App; pub struct Caller(App);"),
            ("http/limits.rs", "pub struct Limiter;"),
        ]);
        let path = "app.rs -> http/limits.rs (crate::http::limits::Limiter), http/caller.rs -> app.rs (crate::app::App)";
        assert_eq!(found, [path]);
    }

    #[test]
    fn declaring_and_re_exporting_children_is_no_import() {
        let facade = "mod a; mod b; pub use a::A; pub use b::B;";
        assert!(cycles(&[("lib.rs", facade), ("a.rs", "pub struct A;"), ("b.rs", "use crate::A; pub struct B(A);")]).is_empty());
    }

    #[test]
    fn a_child_may_use_its_parent_while_the_parent_does_not_use_it() {
        let child = ("a.rs", "use crate::Parent; pub struct A(Parent);");
        assert!(cycles(&[("lib.rs", "mod a; pub use a::A; pub struct Parent;"), child]).is_empty());
        for parent in [
            "mod a; pub use a::A; pub struct Parent; fn f(_: A) {}",
            "mod a; pub struct Parent; fn f() { a::A; }",
            "mod a; pub use a::A; pub struct Parent; fn f() { list![1, A] }",
            "mod a; use a::A; pub struct Parent;",
        ] {
            assert_eq!(cycles(&[("lib.rs", parent), child]).len(), 1, "{parent}");
        }
    }

    #[test]
    fn an_import_through_a_facade_counts_for_the_file_behind_it() {
        let found = cycles(&[
            ("lib.rs", "mod x; mod other;"),
            ("x/mod.rs", "mod deep; pub use deep::Deep;"),
            ("x/deep.rs", "pub struct Deep; fn f() { crate::other::g() }"),
            ("other.rs", "use crate::x::Deep; pub fn g() {}"),
        ]);
        assert_eq!(found, ["x/deep.rs -> other.rs (crate::other::g) -> x/deep.rs (crate::x::Deep)"]);
    }

    #[test]
    fn aliases_globs_and_inline_modules_are_followed() {
        let found = cycles(&[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::b as other; pub struct A; fn f() { other::inner::B; }"),
            ("b.rs", "pub mod inner { pub struct B; use super::super::c::*; fn f(_: C) {} }"),
            ("c.rs", "pub struct C; #[with(crate::a::A)] struct D;"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn tests_other_crates_and_methods_do_not_count() {
        let found = cycles(&[
            ("lib.rs", "mod a; mod http;"),
            ("a.rs", "use crate::http::H; pub struct A; fn f() { ::http::x(); }"),
            ("http.rs", "use http::Method; pub struct H; #[cfg(test)] mod tests { use crate::a::A; } #[cfg(test)] mod more;"),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }
}
