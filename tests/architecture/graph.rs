//! The imports between source files, from `use` declarations and qualified paths.
//!
//! A path counts as an import of the file that defines its item: re-exports and aliases are followed, so a `mod.rs`
//! that only re-exports names is not imported.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Item, UseTree};

/// The path of a module or item, as segments relative to the crate.
type Segments = Vec<String>;

/// One module: its definitions, its imported names, and the paths it uses.
#[derive(Debug, Default)]
struct Module {
    file: PathBuf,
    items: BTreeSet<String>,
    /// Names imported by `use`, with their paths.
    imports: BTreeMap<String, Segments>,
    /// Modules imported with a glob.
    globs: Vec<Segments>,
    /// Qualified paths, and those of `use`.
    named: Vec<Segments>,
}

/// The files of a crate and their imports.
#[derive(Debug)]
pub struct Graph {
    modules: BTreeMap<Segments, Module>,
    root: PathBuf,
}

impl Graph {
    /// Reads the crate with this root file, and all files of its `mod` items. File names are relative to `base`.
    pub fn read(base: &Path, root: &str) -> Self {
        let mut graph = Self { modules: BTreeMap::new(), root: base.to_owned() };
        let file = base.join(root);
        // The children of a root file and of `mod.rs` are in the same directory.
        graph.read_file(Vec::new(), &file, file.parent().unwrap());
        graph
    }

    fn read_file(&mut self, path: Segments, file: &Path, children: &Path) {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.read_items(path, file, children, &parsed.items);
    }

    fn read_items(&mut self, path: Segments, file: &Path, children: &Path, items: &[Item]) {
        let mut module = Module { file: file.strip_prefix(&self.root).unwrap().to_owned(), ..Module::default() };
        for item in items {
            if let Some(name) = name_of(item) {
                module.items.insert(name);
            }
            if let Item::Mod(child) = item {
                let name = child.ident.to_string();
                let below = path.iter().cloned().chain([name.clone()]).collect();
                match (&child.content, path_attribute(child)) {
                    (Some((_, items)), _) => self.read_items(below, file, &children.join(&name), items),
                    (None, Some(given)) => {
                        let file = file.parent().unwrap().join(given);
                        let children = file.parent().unwrap().to_owned();
                        self.read_file(below, &file, &children);
                    }
                    (None, None) => {
                        // `move` is a keyword, so its module is `r#move`.
                        let plain = name.trim_start_matches("r#");
                        let folder = children.join(plain);
                        let file = children.join(format!("{plain}.rs"));
                        let file = if file.exists() { file } else { folder.join("mod.rs") };
                        self.read_file(below, &file, &folder);
                    }
                }
            } else {
                Paths { module: &mut module, of: &path }.visit_item(item);
            }
        }
        self.modules.insert(path, module);
    }

    /// Returns the imports of each file within the crate.
    pub fn imports(&self) -> BTreeMap<&Path, BTreeSet<&Path>> {
        let mut imports: BTreeMap<&Path, BTreeSet<&Path>> = BTreeMap::new();
        for (path, module) in &self.modules {
            let found = imports.entry(&module.file).or_default();
            let named = module.named.iter().chain(module.imports.values());
            found.extend(named.filter_map(|named| self.defined_in(path, named)).filter(|file| *file != module.file));
        }
        imports
    }

    /// Returns the file that defines the item of this path in this module; `None` for a module itself, and for items
    /// outside the crate.
    fn defined_in(&self, within: &[String], named: &[String]) -> Option<&Path> {
        let mut seen = BTreeSet::new();
        self.resolve(within, named, &mut seen)
    }

    /// `seen` contains the aliases and globs followed so far: `use proptest::proptest` refers to itself.
    fn resolve(&self, within: &[String], named: &[String], seen: &mut BTreeSet<Segments>) -> Option<&Path> {
        let (first, rest) = named.split_first()?;
        match first.as_str() {
            "crate" => return self.resolve(&[], rest, seen),
            "self" => return self.resolve(within, rest, seen),
            "super" => return self.resolve(within.get(..within.len().checked_sub(1)?)?, rest, seen),
            _ => {}
        }
        let module = self.modules.get(within)?;
        let below: Segments = within.iter().cloned().chain([first.clone()]).collect();
        // A function may have the same name as its module.
        if self.modules.contains_key(&below) && !rest.is_empty() {
            return self.resolve(&below, rest, seen);
        }
        // So may a function and an imported module: of the two, only the module has something below it.
        let is_module = !rest.is_empty() && module.imports.contains_key(first);
        if module.items.contains(first) && !is_module {
            return Some(&module.file);
        }
        if !seen.insert(below) {
            return None;
        }
        if let Some(target) = module.imports.get(first) {
            let path: Segments = target.iter().chain(rest).cloned().collect();
            return self.resolve(within, &path, seen);
        }
        let through = |glob: &Segments| glob.iter().chain(named).cloned().collect::<Segments>();
        module.globs.iter().find_map(|glob| self.resolve(within, &through(glob), seen))
    }
}

/// Returns the import cycles, one path of files for each group.
pub fn circles(imports: &BTreeMap<&Path, BTreeSet<&Path>>) -> Vec<String> {
    let mut circles = BTreeSet::new();
    for (&from, targets) in imports {
        for &to in targets {
            if let Some(back) = way(imports, to, from) {
                let smallest = back.iter().chain([&from]).min() == Some(&from);
                if smallest {
                    let names: Vec<_> = [from].into_iter().chain(back).map(|file| file.display().to_string()).collect();
                    circles.insert(names.join(" -> "));
                }
            }
        }
    }
    circles.into_iter().collect()
}

/// Returns the shortest import path from one file to another, including both.
fn way<'a>(imports: &BTreeMap<&'a Path, BTreeSet<&'a Path>>, from: &'a Path, to: &'a Path) -> Option<Vec<&'a Path>> {
    let mut reached: BTreeMap<&Path, Option<&Path>> = BTreeMap::from([(from, None)]);
    let mut next = std::collections::VecDeque::from([from]);
    while let Some(here) = next.pop_front() {
        if here == to {
            let mut way = vec![here];
            while let Some(Some(before)) = reached.get(*way.last()?) {
                way.push(before);
            }
            way.reverse();
            return Some(way);
        }
        for &target in imports.get(here).into_iter().flatten() {
            reached.entry(target).or_insert_with(|| {
                next.push_back(target);
                Some(here)
            });
        }
    }
    None
}

fn path_attribute(module: &syn::ItemMod) -> Option<String> {
    let attribute = module.attrs.iter().find(|attribute| attribute.path().is_ident("path"))?;
    let syn::Meta::NameValue(pair) = &attribute.meta else { return None };
    let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(path), .. }) = &pair.value else { return None };
    Some(path.value())
}

fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

/// Collects the paths in an item, including macros, whose content is only tokens.
struct Paths<'a> {
    module: &'a mut Module,
    of: &'a Segments,
}

impl Paths<'_> {
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Segments = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if path.is_empty() || colons == 2 => {
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => colons += 1,
                other => {
                    self.module.named.push(std::mem::take(&mut path));
                    colons = 0;
                    match other {
                        TokenTree::Group(group) => self.tokens(group.stream()),
                        TokenTree::Ident(ident) => path.push(ident.to_string()),
                        _ => {}
                    }
                }
            }
        }
        self.module.named.push(path);
    }

    fn tree(&mut self, tree: &UseTree, before: &Segments) {
        let with = |name: &syn::Ident| before.iter().cloned().chain([name.to_string()]).collect::<Segments>();
        match tree {
            UseTree::Path(path) => self.tree(&path.tree, &with(&path.ident)),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, before)),
            UseTree::Glob(_) => self.module.globs.push(before.clone()),
            UseTree::Name(name) if name.ident == "self" => {
                let last = before.last().cloned().unwrap_or_default();
                self.module.imports.insert(last, before.clone());
            }
            UseTree::Name(name) => {
                self.module.imports.insert(name.ident.to_string(), with(&name.ident));
            }
            UseTree::Rename(rename) => {
                let path = if rename.ident == "self" { before.clone() } else { with(&rename.ident) };
                self.module.imports.insert(rename.rename.to_string(), path);
            }
        }
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&item.tree, &Vec::new());
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        panic!("module {} within {:?} is in no file and at no top level", item.ident, self.of);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.module.named.push(segments);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.module.named.push(item.path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        self.tokens(item.tokens.clone());
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {
        // `pub(in crate::aws)` is not an import.
    }
}
