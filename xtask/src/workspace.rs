//! The workspace on disk: its root, its target directory and what cargo knows about it.

use std::env;
use std::path::{Path, PathBuf};

use serde_json::Value;
use xshell::{Shell, cmd};

use crate::Outcome;
use crate::graph::Graph;

/// The checkout this program works on.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// A shell whose working directory is the root.
    pub(crate) shell: Shell,
    /// The directory of the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
}

impl Workspace {
    /// Finds the root and makes it the shell's working directory.
    pub(crate) fn open() -> Outcome<Self> {
        // Cargo tells at run time too; a target directory shared by two checkouts may hold a program built in the other.
        let own = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&own).parent().ok_or("xtask is not inside a workspace")?;
        let shell = Shell::new()?;
        shell.change_dir(root);
        Ok(Self { shell, root: root.to_path_buf() })
    }

    /// Reads the dependency graph, every feature on, exactly as `Cargo.lock` has it.
    pub(crate) fn graph(&self) -> Outcome<Graph> {
        let shell = &self.shell;
        let metadata = cmd!(shell, "cargo metadata --format-version 1 --all-features --locked").quiet().read()?;
        Graph::parse(&serde_json::from_str(&metadata)?)
    }

    /// Where cargo builds, and where tools and peers are kept between runs.
    pub(crate) fn target(&self) -> Outcome<PathBuf> {
        let shell = &self.shell;
        let metadata = cmd!(shell, "cargo metadata --format-version 1 --no-deps").quiet().read()?;
        let metadata: Value = serde_json::from_str(&metadata)?;
        let target = metadata["target_directory"].as_str().ok_or("cargo metadata names no target directory")?;
        Ok(target.into())
    }
}
