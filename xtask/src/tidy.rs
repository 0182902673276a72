//! The house rules that no compiler knows: who may depend on whom, how long a file may be, what never enters a text.
//!
//! It reports everything it finds, changes nothing and judges no style that rustfmt or clippy judge.

mod alias;
mod circles;
mod direction;
mod features;
mod manifest;
mod names;
mod promises;
mod rust_version;
mod snippets;
mod source;
mod text;
mod token;
mod tree;
mod violation;

use violation::Violation;

use crate::workspace::Workspace;
use crate::{Outcome, build_cost, report};

/// Checks every rule and prints each violation.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let tree = tree::Tree::read(workspace)?;
    let graph = workspace.graph()?;
    let mut violations = direction::check(&graph, &tree);
    violations.extend(features::check(&graph, &tree));
    violations.extend(rust_version::check(&rust_version::packages(workspace)?, &tree));
    violations.extend(names::check(&tree));
    violations.extend(alias::check(&tree));
    violations.extend(circles::check(&tree));
    violations.extend(snippets::check(&tree));
    violations.extend(promises::check(&tree));
    for (path, text) in tree.files() {
        violations.extend(text::check(path, text));
        if path.ends_with(".rs") {
            violations.extend(source::check(path, text));
        }
        if path.ends_with("Cargo.toml") {
            violations.extend(manifest::check(path, text, &tree));
        }
    }
    for violation in &violations {
        report::line(violation);
    }
    if !violations.is_empty() {
        return Err(format!("{} places break the house rules", violations.len()).into());
    }
    build_cost::check(workspace)?;
    report::line(format_args!("{} files and {} crates are tidy", tree.files().count(), graph.members.len()));
    Ok(())
}
