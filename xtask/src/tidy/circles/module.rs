//! The modules of a crate, from its root file through every `mod`, with the names each declares, imports and uses.
//!
//! It does not resolve the names.

use std::collections::{BTreeMap, BTreeSet};

use super::use_tree::{self, Import};
use crate::tidy::token::{self, Token, after_group};

/// Where a module stands below the root: the root's own path is empty.
pub(super) type ModulePath<'a> = Vec<&'a str>;

/// One module, in a file of its own or in its parent's.
#[derive(Debug, Default)]
pub(super) struct Module<'a> {
    /// The file, from the workspace's root.
    pub(super) file: &'a str,
    /// The modules it declares.
    pub(super) children: BTreeSet<&'a str>,
    /// The other items it declares, by name.
    pub(super) items: BTreeSet<&'a str>,
    pub(super) imports: Vec<Import<'a>>,
    /// The paths of two names or more in its code, and their lines.
    pub(super) paths: Vec<(Vec<&'a str>, usize)>,
    /// The names that its code may take from its imports.
    pub(super) mentions: BTreeSet<&'a str>,
}

/// The modules of a crate.
pub(super) type Modules<'a> = BTreeMap<ModulePath<'a>, Module<'a>>;

/// Reads the modules of the crate with this root; `file` gives a file's path and text, if there is such a file.
pub(super) fn read<'a>(root: &str, file: impl Fn(&str) -> Option<(&'a str, &'a str)>) -> Modules<'a> {
    let folder = root.rfind('/').map_or("", |it| &root[..it]);
    let mut modules = Modules::new();
    let mut open: Vec<(ModulePath<'a>, String)> = vec![(Vec::new(), root.to_owned())];
    while let Some((path, name)) = open.pop() {
        let Some((name, text)) = file(&name) else { continue };
        let mut scan = Scan { tokens: &token::production(text), file: name, modules: &mut modules, files: Vec::new() };
        scan.run(path);
        open.extend(scan.files.into_iter().map(|it| {
            let name = format!("{folder}/{}.rs", it.join("/"));
            (it, name)
        }));
    }
    modules
}

/// The reading of one file.
struct Scan<'s, 'a> {
    tokens: &'s [Token<'a>],
    file: &'a str,
    modules: &'s mut Modules<'a>,
    /// The modules that the file declares to be files of their own.
    files: Vec<ModulePath<'a>>,
}

impl<'a> Scan<'_, 'a> {
    fn run(&mut self, path: ModulePath<'a>) {
        self.module(&path);
        // Each module that is open, and how many braces were open when it began.
        let mut open = vec![(path, 0)];
        let (mut at, mut depth, mut visible) = (0, 0_usize, false);
        while let (Some(token), Some((path, outside))) = (self.tokens.get(at), open.last().cloned()) {
            let next = self.text(at + 1);
            let was_visible = std::mem::take(&mut visible);
            match token.text {
                "{" => depth += 1,
                "}" => {
                    depth = depth.saturating_sub(1);
                    if open.len() > 1 && depth == outside {
                        open.pop();
                    }
                }
                "pub" => {
                    visible = true;
                    if next == "(" {
                        at = after_group(self.tokens, at + 1);
                        continue;
                    }
                }
                // `+ use<'a>` captures lifetimes.
                "use" if next != "<" => {
                    let (imports, end) = use_tree::read(self.tokens, at + 1, was_visible);
                    self.module(&path).imports.extend(imports);
                    at = end;
                    continue;
                }
                "mod" if self.is_name(at + 1) => {
                    self.module(&path).children.insert(next);
                    let child = [path.as_slice(), &[next]].concat();
                    if self.text(at + 2) == "{" {
                        self.module(&child);
                        open.push((child, depth));
                        depth += 1;
                    } else {
                        self.files.push(child);
                    }
                    at += 3;
                    continue;
                }
                keyword if KINDS.contains(&keyword) && self.is_name(at + 1) && (keyword, next) != ("const", "fn") => {
                    // What stands within a body or an `impl` is no item of the module.
                    let top = if open.len() > 1 { outside + 1 } else { 0 };
                    if depth == top {
                        self.module(&path).items.insert(next);
                    }
                    at += 2;
                    continue;
                }
                "macro_rules" if next == "!" => {
                    let name = self.text(at + 2);
                    self.module(&path).items.insert(name);
                    at += 3;
                    continue;
                }
                _ if token.is_word() && !self.continues(at) => {
                    at = self.name(&path, at);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// Reads a name and the path that it may begin; returns the index after it.
    fn name(&mut self, module: &ModulePath<'a>, start: usize) -> usize {
        let (mut names, mut at) = (vec![self.text(start)], start + 1);
        while self.text(at) == "::" && self.is_name(at + 1) {
            names.push(self.text(at + 1));
            at += 2;
        }
        let (head, line) = (names[0], self.tokens[start].line);
        // A small name may be a variable's: only what is called or leads on is taken for the import of that name.
        if !head.starts_with(char::is_lowercase) || names.len() > 1 || ["(", "::", "!"].contains(&self.text(at)) {
            self.module(module).mentions.insert(head);
        }
        if names.len() > 1 {
            self.module(module).paths.push((names, line));
        }
        at
    }

    fn module(&mut self, path: &ModulePath<'a>) -> &mut Module<'a> {
        self.modules.entry(path.clone()).or_insert_with(|| Module { file: self.file, ..Module::default() })
    }

    fn text(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |it| it.text)
    }

    fn is_name(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(Token::is_word)
    }

    /// Whether the token belongs to what stands before it, as a field or as a part of a longer path.
    fn continues(&self, at: usize) -> bool {
        at > 0 && [".", "::"].contains(&self.text(at - 1))
    }
}

/// The keywords that a new name follows.
const KINDS: &[&str] = &["const", "enum", "fn", "static", "struct", "trait", "type", "union"];
