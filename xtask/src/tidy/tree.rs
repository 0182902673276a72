//! The text files of the checkout: what git tracks and what it would be asked to track.

use std::collections::BTreeMap;

use xshell::cmd;

use crate::Outcome;
use crate::workspace::Workspace;

/// Every text file by its path from the root.
#[derive(Debug)]
pub(super) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads the files; what is not UTF-8 is not text.
    pub(super) fn read(workspace: &Workspace) -> Outcome<Self> {
        let shell = &workspace.shell;
        let listing = cmd!(shell, "git ls-files --cached --others --exclude-standard -z").quiet().read()?;
        let mut files = BTreeMap::new();
        for path in listing.split('\0').filter(|it| !it.is_empty()) {
            // A file that was deleted but not yet committed so is in the listing and not on disk.
            if let Ok(text) = shell.read_file(path) {
                files.insert(path.to_owned(), text);
            }
        }
        Ok(Self { files })
    }

    /// Path and text of each file.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The library and program sources of the published crates, without the files of unit tests.
    pub(super) fn sources(&self) -> impl Iterator<Item = Source<'_>> {
        self.files().filter_map(|(path, text)| {
            let (package, file) = path.strip_prefix("crates/")?.split_once("/src/")?;
            (file.ends_with(".rs") && !is_unit_tests(path)).then_some(Source { package, path, text })
        })
    }

    /// Path and text of one file.
    pub(super) fn entry(&self, path: &str) -> Option<(&str, &str)> {
        self.files.get_key_value(path).map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The text of one file.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The number of the first line that begins so, or 1.
    pub(super) fn line(&self, path: &str, beginning: &str) -> usize {
        let mut lines = self.text(path).unwrap_or_default().lines();
        lines.position(|it| it.starts_with(beginning)).map_or(1, |index| index + 1)
    }
}

/// A Rust file of a published crate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    /// The crate's name.
    pub(super) package: &'a str,
    /// The path from the root.
    pub(super) path: &'a str,
    pub(super) text: &'a str,
}

/// Whether the file is a module `tests` of some other module, or one of that module's own.
pub(super) fn is_unit_tests(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/src/") && path.contains("/tests/")
}

#[cfg(test)]
impl Tree {
    /// A tree of the given paths and texts.
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
    }
}
