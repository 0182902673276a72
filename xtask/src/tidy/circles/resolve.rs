//! From the names in a module to the files that declare them, through re-exports.
//!
//! It knows modules and imports, and no types: what no module declares is taken for another crate's.

use std::collections::BTreeSet;

use super::component::Edge;
use super::module::{Module, ModulePath, Modules};
use super::use_tree::Import;

/// Returns each use of one file by another.
pub(super) fn edges<'a>(modules: &Modules<'a>) -> BTreeSet<Edge<'a>> {
    let names = Names(modules);
    let mut edges = BTreeSet::new();
    for (path, module) in modules {
        let mut add = |target: Option<&ModulePath<'a>>, line: usize, written: &[&str], glob: &str| {
            let to = target.and_then(|it| modules.get(it)).map(|it| it.file);
            let Some(to) = to.filter(|it| *it != module.file) else { return };
            edges.insert(Edge { from: module.file, to, line, path: format!("{}{glob}", written.join("::")) });
        };
        for import in &module.imports {
            let target = names.imported(path, import);
            let only_declared = import.reexport
                && target.as_ref().is_some_and(|it| it.starts_with(path))
                && import.name.is_none_or(|name| !module.mentions.contains(name));
            if !only_declared {
                add(target.as_ref(), import.line, &import.path, if import.name.is_none() { "::*" } else { "" });
            }
        }
        for (written, line) in &module.paths {
            // An item that was imported is used by its import.
            let import = module.imports.iter().find(|it| it.name == Some(written[0]));
            if import.and_then(|it| names.imported(path, it)).is_none() {
                add(names.item(path, written).as_ref(), *line, written, "");
            }
        }
    }
    edges
}

/// What a path leads to.
enum Found<'a> {
    /// An item, by the module that declares it.
    Item(ModulePath<'a>),
    Module(ModulePath<'a>),
}

struct Names<'m, 'a>(&'m Modules<'a>);

impl<'a> Names<'_, 'a> {
    /// The module that declares what is imported; a module that is imported by itself is used where its name leads on.
    fn imported(&self, from: &ModulePath<'a>, import: &Import<'a>) -> Option<ModulePath<'a>> {
        match self.resolve(from, &import.path, FUEL)? {
            Found::Item(module) => Some(module),
            Found::Module(module) => import.name.is_none().then_some(module),
        }
    }

    /// The module that declares the item.
    fn item(&self, from: &ModulePath<'a>, path: &[&'a str]) -> Option<ModulePath<'a>> {
        match self.resolve(from, path, FUEL)? {
            Found::Item(module) => Some(module),
            Found::Module(_) => None,
        }
    }

    /// Resolves a path as it is written in a module; `fuel` ends a circle of imports.
    fn resolve(&self, from: &ModulePath<'a>, path: &[&'a str], fuel: usize) -> Option<Found<'a>> {
        let (head, mut rest) = path.split_first()?;
        let mut module = from.clone();
        match *head {
            "crate" => module.clear(),
            "self" => {}
            "super" => {
                module.pop()?;
                while rest.first() == Some(&"super") {
                    module.pop()?;
                    rest = &rest[1..];
                }
            }
            _ if self.has(&module, head, fuel) => rest = path,
            _ => return None,
        }
        self.walk(module, rest, fuel)
    }

    /// Follows a path down from a module.
    fn walk(&self, module: ModulePath<'a>, path: &[&'a str], fuel: usize) -> Option<Found<'a>> {
        let fuel = fuel.checked_sub(1)?;
        let Some((name, rest)) = path.split_first() else { return Some(Found::Module(module)) };
        let here = self.0.get(&module)?;
        // A function may share its name with a module, and then the end of a path means the function.
        if rest.is_empty() && here.items.contains(name) {
            return Some(Found::Item(module));
        }
        if here.children.contains(name) {
            return self.walk([module.as_slice(), &[name]].concat(), rest, fuel);
        }
        if let Some(import) = here.imports.iter().find(|it| it.name == Some(name)) {
            return self.resolve(&module, &[&import.path, rest].concat(), fuel);
        }
        if !here.items.contains(name) {
            for target in self.globs(&module, here, fuel) {
                if self.has(&target, name, fuel) {
                    return self.walk(target, path, fuel);
                }
            }
        }
        // What is declared nowhere is made by a macro there.
        Some(Found::Item(module))
    }

    /// Whether the module has something of this name, by itself or by an import.
    fn has(&self, module: &ModulePath<'a>, name: &str, fuel: usize) -> bool {
        let (Some(fuel), Some(here)) = (fuel.checked_sub(1), self.0.get(module)) else { return false };
        here.children.contains(name)
            || here.items.contains(name)
            || here.imports.iter().any(|it| it.name == Some(name))
            || self.globs(module, here, fuel).iter().any(|it| self.has(it, name, fuel))
    }

    /// The modules all of whose names are imported.
    fn globs(&self, module: &ModulePath<'a>, here: &Module<'a>, fuel: usize) -> Vec<ModulePath<'a>> {
        let known = |head: &&str| {
            HEADS.contains(head) || here.children.contains(head) || here.imports.iter().any(|it| it.name == Some(*head))
        };
        let globs = here.imports.iter().filter(|it| it.name.is_none() && it.path.first().is_some_and(known));
        let targets = globs.filter_map(|it| match self.resolve(module, &it.path, fuel)? {
            Found::Module(target) => Some(target),
            Found::Item(_) => None,
        });
        targets.collect()
    }
}

/// The words that begin a path within the crate.
const HEADS: &[&str] = &["crate", "self", "super"];
/// How many steps one path may take. It is small because each step may ask all globs of a module.
const FUEL: usize = 16;
