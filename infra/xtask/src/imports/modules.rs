//! The modules of one target, and where a path leads.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// All modules of a target. The first one is the root.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Source files by number.
    pub(super) files: Vec<PathBuf>,
    /// Modules by number. Several can live in one file.
    pub(super) modules: Vec<Module>,
}

/// A module, as its source says.
#[derive(Debug)]
pub(super) struct Module {
    /// The file that holds it.
    pub(super) file: usize,
    /// None for the root.
    pub(super) parent: Option<usize>,
    /// Submodules, inline or in files of their own.
    pub(super) children: BTreeMap<String, usize>,
    /// Names of items that are defined here.
    pub(super) items: BTreeSet<String>,
    /// What its `use` declarations bring in.
    pub(super) uses: Vec<Use>,
    /// Paths in its code.
    pub(super) paths: BTreeSet<Vec<String>>,
}

/// One name that a `use` brings in.
#[derive(Debug)]
pub(super) struct Use {
    /// The name here; `*` for a glob.
    pub(super) name: String,
    /// Its path, without the `*`.
    pub(super) path: Vec<String>,
    /// Whether others can reach it here.
    pub(super) public: bool,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Module(usize),
    /// An item, by the file that defines it.
    Item(usize),
}

impl Module {
    pub(super) fn new(file: usize, parent: Option<usize>) -> Self {
        let (children, items) = (BTreeMap::new(), BTreeSet::new());
        Self { file, parent, children, items, uses: Vec::new(), paths: BTreeSet::new() }
    }
}

impl Tree {
    /// The paths that a module mentions, except where it only re-exports something of its own submodules.
    pub(super) fn mentions(&self, module: usize) -> impl Iterator<Item = &Vec<String>> {
        let uses = self.modules[module].uses.iter();
        let imports = uses.filter(move |one| one.name != "*" && !(one.public && self.is_below(module, &one.path)));
        imports.map(|one| &one.path).chain(&self.modules[module].paths)
    }

    /// The file that defines what a path in this module means. None for modules, and for what lies outside the target.
    pub(super) fn definition(&self, module: usize, path: &[String]) -> Option<usize> {
        match self.follow(module, path, &mut Vec::new())? {
            Target::Item(file) => Some(file),
            Target::Module(_) => None,
        }
    }

    /// The two modules that stand for an import between siblings: the first ones in which the ways from the root to the two
    /// files differ. None where one file lies below the other.
    pub(super) fn siblings(&self, (from, to): (usize, usize)) -> Option<(usize, usize)> {
        let (from, to) = (self.way_to(from), self.way_to(to));
        let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
        Some((*from.get(common)?, *to.get(common)?))
    }

    /// The modules from the root down to the one that a file holds.
    fn way_to(&self, file: usize) -> Vec<usize> {
        let mut way: Vec<usize> = self.modules.iter().position(|module| module.file == file).into_iter().collect();
        while let Some(parent) = way.last().and_then(|module| self.modules[*module].parent) {
            way.push(parent);
        }
        way.reverse();
        way
    }

    /// Whether a path starts at a submodule of this module.
    fn is_below(&self, module: usize, path: &[String]) -> bool {
        let path = if path.first().is_some_and(|first| first == "self") { &path[1..] } else { path };
        path.first().is_some_and(|first| self.modules[module].children.contains_key(first))
    }

    /// `open` holds the names that are being looked up, so that imports that lead to themselves end.
    fn follow(&self, module: usize, path: &[String], open: &mut Vec<(usize, String)>) -> Option<Target> {
        let mut at = module;
        let mut explicit = false;
        for (n, segment) in path.iter().enumerate() {
            match segment.as_str() {
                "crate" => at = 0,
                "self" => {}
                "super" => at = self.modules[at].parent?,
                name => match self.lookup(at, name, open) {
                    Some(Target::Module(child)) => at = child,
                    Some(item) => return Some(item),
                    // Nothing in sight has this name. After a module of this target, a macro must have defined it there.
                    None => return explicit.then_some(Target::Item(self.modules[at].file)),
                },
            }
            explicit = true;
            if n + 1 == path.len() {
                return Some(Target::Module(at));
            }
        }
        None
    }

    fn lookup(&self, module: usize, name: &str, open: &mut Vec<(usize, String)>) -> Option<Target> {
        let here = &self.modules[module];
        if let Some(child) = here.children.get(name) {
            return Some(Target::Module(*child));
        }
        if here.items.contains(name) {
            return Some(Target::Item(here.file));
        }
        let key = (module, name.to_owned());
        if open.contains(&key) {
            return None;
        }
        open.push(key);
        let named = here.uses.iter().filter(|one| one.name == name).find_map(|one| self.follow(module, &one.path, open));
        let found = named.or_else(|| {
            let mut globs = here.uses.iter().filter(|one| one.name == "*");
            globs.find_map(|glob| match self.follow(module, &glob.path, open)? {
                Target::Module(source) => self.lookup(source, name, open),
                Target::Item(_) => None,
            })
        });
        open.pop();
        found
    }
}
