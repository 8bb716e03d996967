//! Source files, read into a [`Tree`].

use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemMod, ItemUse, Macro, Meta, UseTree, Visibility};

use super::modules::{Module, Tree, Use};

/// Reads a target from its root file on.
///
/// # Errors
/// If a file is missing or is not Rust.
pub(super) fn read_target(root: &Path, source: &dyn Fn(&Path) -> Option<String>) -> Result<Tree, String> {
    let directory = root.parent().unwrap_or(Path::new("")).to_owned();
    let mut reader = Reader { tree: Tree::default(), source, module: 0, directory: directory.clone(), problem: None };
    reader.read_file(root.to_owned(), directory, None);
    match reader.problem {
        Some(problem) => Err(problem),
        None => Ok(reader.tree),
    }
}

struct Reader<'a> {
    tree: Tree,
    source: &'a dyn Fn(&Path) -> Option<String>,
    /// The module that is being read.
    module: usize,
    /// Where files of its submodules lie.
    directory: PathBuf,
    problem: Option<String>,
}

impl Reader<'_> {
    /// Reads a module that has a file of its own, and everything below it. Gives its number.
    fn read_file(&mut self, file: PathBuf, directory: PathBuf, parent: Option<usize>) -> usize {
        let parsed = (self.source)(&file).ok_or_else(|| "it cannot be read".to_owned());
        let parsed = parsed.and_then(|text| syn::parse_file(&text).map_err(|error| error.to_string()));
        let number = self.tree.files.len();
        match parsed {
            Ok(parsed) => {
                self.tree.files.push(file);
                self.read_module(Module::new(number, parent), directory, &parsed.items)
            }
            Err(why) => {
                self.problem.get_or_insert(format!("{}: {why}", file.display()));
                0
            }
        }
    }

    fn read_module(&mut self, module: Module, directory: PathBuf, items: &[Item]) -> usize {
        let number = self.tree.modules.len();
        self.tree.modules.push(module);
        let outer = std::mem::replace(&mut self.module, number);
        let outer_directory = std::mem::replace(&mut self.directory, directory);
        items.iter().for_each(|item| self.visit_item(item));
        self.module = outer;
        self.directory = outer_directory;
        number
    }

    fn here(&mut self) -> &mut Module {
        &mut self.tree.modules[self.module]
    }

    fn import(&mut self, tree: &UseTree, before: &[String], public: bool) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        let (name, path) = match tree {
            UseTree::Path(path) => return self.import(&path.tree, &with(&path.ident), public),
            UseTree::Group(group) => return group.items.iter().for_each(|tree| self.import(tree, before, public)),
            // `use a::b::{self}` brings in `b`.
            UseTree::Name(name) if name.ident == "self" => (before.last().cloned().unwrap_or_default(), before.to_vec()),
            UseTree::Name(name) => (name.ident.to_string(), with(&name.ident)),
            UseTree::Rename(rename) if rename.ident == "self" => (rename.rename.to_string(), before.to_vec()),
            UseTree::Rename(rename) => (rename.rename.to_string(), with(&rename.ident)),
            UseTree::Glob(_) => ("*".to_owned(), before.to_vec()),
        };
        // An import of a whole other crate under its own name would lead to itself.
        if path.len() > 1 || path.first() != Some(&name) {
            self.here().uses.push(Use { name, path, public });
        }
    }

    /// Notes the paths among the tokens of a macro's or an attribute's arguments.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        // What stands between two segments, or before a path: `::` continues one, `.` makes a method or field of a name.
        let mut before = String::new();
        for token in tokens {
            match token {
                TokenTree::Punct(punct) => {
                    before.push(punct.as_char());
                    continue;
                }
                TokenTree::Ident(ident) if before == "::" && !path.is_empty() => path.push(ident.to_string()),
                TokenTree::Ident(ident) => {
                    self.note(std::mem::take(&mut path));
                    if !before.ends_with('.') && before != "::" {
                        path.push(ident.to_string());
                    }
                }
                TokenTree::Group(group) => {
                    self.note(std::mem::take(&mut path));
                    self.tokens(group.stream());
                }
                TokenTree::Literal(literal) => {
                    self.note(std::mem::take(&mut path));
                    self.literal(&literal.to_string());
                }
            }
            before.clear();
        }
        self.note(path);
    }

    /// A path in a string, as `#[serde(with = "crate::x")]` takes it.
    fn literal(&mut self, literal: &str) {
        let text = literal.trim_matches('"');
        if text.starts_with("crate::") || text.starts_with("super::") {
            self.note(text.split("::").map(str::to_owned).collect());
        }
    }

    fn note(&mut self, path: Vec<String>) {
        if !path.is_empty() {
            self.here().paths.insert(path);
        }
    }
}

impl Visit<'_> for Reader<'_> {
    fn visit_item(&mut self, item: &Item) {
        let (attributes, name) = described(item);
        if attributes.iter().any(is_test) {
            return;
        }
        if let Some(name) = name {
            self.here().items.insert(name);
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &ItemMod) {
        let name = item.ident.to_string();
        let below = self.directory.join(&name);
        let parent = Some(self.module);
        let child = match &item.content {
            Some((_, items)) => {
                let module = Module::new(self.tree.modules[self.module].file, parent);
                self.read_module(module, below, items)
            }
            None => {
                let file = self.directory.join(format!("{name}.rs"));
                let file = if (self.source)(&file).is_some() { file } else { below.join("mod.rs") };
                self.read_file(file, below, parent)
            }
        };
        self.here().children.insert(name, child);
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&item.tree, &[], !matches!(item.vis, Visibility::Inherited));
        }
    }

    fn visit_impl_item(&mut self, item: &ImplItem) {
        let attributes = match item {
            ImplItem::Fn(function) => function.attrs.as_slice(),
            ImplItem::Const(constant) => constant.attrs.as_slice(),
            _ => &[],
        };
        if !attributes.iter().any(is_test) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_path(&mut self, path: &syn::Path) {
        if path.leading_colon.is_none() {
            self.note(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &Attribute) {
        match &attribute.meta {
            Meta::List(list) => self.tokens(list.tokens.clone()),
            Meta::NameValue(pair) if !attribute.path().is_ident("doc") => self.visit_expr(&pair.value),
            _ => {}
        }
    }
}

/// An item's attributes, and the name that it defines in its module.
fn described(item: &Item) -> (&[Attribute], Option<String>) {
    let (attributes, name) = match item {
        Item::Const(item) => (&item.attrs, &item.ident),
        Item::Enum(item) => (&item.attrs, &item.ident),
        Item::Fn(item) => (&item.attrs, &item.sig.ident),
        Item::Static(item) => (&item.attrs, &item.ident),
        Item::Struct(item) => (&item.attrs, &item.ident),
        Item::Trait(item) => (&item.attrs, &item.ident),
        Item::TraitAlias(item) => (&item.attrs, &item.ident),
        Item::Type(item) => (&item.attrs, &item.ident),
        Item::Union(item) => (&item.attrs, &item.ident),
        Item::Macro(item) => return (&item.attrs, item.ident.as_ref().map(ToString::to_string)),
        Item::Impl(item) => return (&item.attrs, None),
        Item::Mod(item) => return (&item.attrs, None),
        Item::Use(item) => return (&item.attrs, None),
        _ => return (&[], None),
    };
    (attributes, Some(name.to_string()))
}

/// `#[cfg(test)]`, also among other conditions; and no `not(test)`.
fn is_test(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    if !attribute.path().is_ident("cfg") {
        return false;
    }
    let condition = list.tokens.to_string();
    condition == "test" || (condition.starts_with("all") && condition.contains("test") && !condition.contains("not"))
}
