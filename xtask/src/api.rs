//! The public interface of each published library, as a text in `docs/api` that a review sees change.
//!
//! It reads what rustdoc wrote, because rustdoc alone knows what macros and re-exports make. Its pages change with Rust's versions, so a text
//! is compared by the version that wrote it, and by no other. It judges no change.

mod page;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use xshell::cmd;

use crate::workspace::Workspace;
use crate::{Outcome, ci, report};

/// Compares each text with the documentation of the sources, or writes it anew.
pub(crate) fn run(workspace: &Workspace, write: bool) -> Outcome {
    let shell = &workspace.shell;
    ci::document(workspace)?;
    let rust = rust_version(&cmd!(shell, "rustc --version").quiet().read()?)?;
    let documentation = workspace.target()?.join("doc");
    let mut changed = Vec::new();
    for member in workspace.graph()?.members.iter().filter(|it| it.manifest.starts_with("crates/")) {
        let path = format!("{DIRECTORY}/{}.txt", member.name);
        let krate = member.name.replace('-', "_");
        if !workspace.root.join(&member.manifest).with_file_name("src/lib.rs").exists() {
            continue;
        }
        let kept = shell.read_file(&path).unwrap_or_default();
        if !write && !kept.is_empty() && !kept.starts_with(&heading(&rust)) {
            report::line(format_args!("{path} was written by another Rust: compare it by that one"));
            continue;
        }
        let now = format!("{}\n{}", heading(&rust), interface(&documentation.join(&krate), &krate)?);
        if write {
            shell.write_file(&path, &now)?;
        } else if now != kept {
            report::line(format_args!("{path}:\n{}", difference(&kept, &now)));
            changed.push(path);
        }
    }
    if changed.is_empty() { Ok(()) } else { Err(format!("{CHANGED} ({})", changed.join(", ")).into()) }
}

/// The interface of one crate: its items by their paths, each with what can be done with it.
fn interface(directory: &Path, krate: &str) -> Outcome<String> {
    let read =
        |page: &str| std::fs::read_to_string(directory.join(page)).map_err(|error| format!("{krate}/{page}: {error}"));
    let mut items = Vec::new();
    let mut modules = BTreeSet::from([String::new()]);
    for link in page::links(&read("all.html")?) {
        let (module, file) = link.rsplit_once('/').map_or(("", link.as_str()), |(module, file)| (module, file));
        modules.insert(if module.is_empty() { String::new() } else { format!("{module}/") });
        let mut parts = file.split('.');
        let (Some(kind), Some(name)) = (parts.next(), parts.next()) else { continue };
        let path = format!(
            "{krate}::{}{name}",
            if module.is_empty() { String::new() } else { module.replace('/', "::") + "::" }
        );
        let mut text = format!("{path} ({kind})\n");
        for line in page::interface(&read(&link)?) {
            writeln!(text, "    {line}")?;
        }
        items.push((path, text));
    }
    for module in modules {
        let path = format!("{krate}::{}", module.replace('/', "::"));
        for line in page::re_exports(&read(&format!("{module}index.html"))?) {
            items.push((path.clone(), format!("{path} {line}\n")));
        }
    }
    items.sort();
    Ok(items.into_iter().map(|(_, text)| text).collect())
}

/// The lines that only one of two texts has, marked as `diff` marks them.
fn difference(old: &str, new: &str) -> String {
    // The item that a line belongs to, so that equal lines of two items are told apart.
    let lines = |text: &str| -> BTreeSet<(String, String)> {
        let mut item = String::new();
        text.lines()
            .map(|line| {
                if !line.starts_with(' ') {
                    line.clone_into(&mut item);
                }
                (item.clone(), line.trim_start().to_owned())
            })
            .collect()
    };
    let (old, new) = (lines(old), lines(new));
    let marked = |mark: char, (item, line): &(String, String)| {
        if item == line { format!("{mark} {line}\n") } else { format!("{mark} {item}: {line}\n") }
    };
    let gone = old.difference(&new).map(|it| marked('-', it));
    gone.chain(new.difference(&old).map(|it| marked('+', it))).collect()
}

fn heading(rust: &str) -> String {
    format!(
        "# The public interface, every feature on, as rustdoc {rust} shows it; `cargo xtask api --write` writes it.\n"
    )
}

/// The minor version of `rustc 1.95.0 (…)`.
fn rust_version(said: &str) -> Outcome<String> {
    let version = said.split(' ').nth(1).and_then(|it| it.rsplit_once('.'));
    Ok(version.ok_or_else(|| format!("rustc does not tell its version: {said}"))?.0.to_owned())
}

const DIRECTORY: &str = "docs/api";
const CHANGED: &str =
    "the public interface is not what docs/api says: look at the change, then run `cargo xtask api --write`";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_difference_names_the_item() {
        let old = "# R\n\na::B (struct)\n    pub fn f()\n    pub fn g()\na::C (struct)\n    pub fn f()\n";
        let new =
            "# R\n\na::B (struct)\n    pub fn g()\n    pub fn f(u8)\na::C (struct)\n    pub fn f()\na::D (enum)\n";
        assert_eq!(difference(old, new), "- a::B (struct): pub fn f()\n+ a::B (struct): pub fn f(u8)\n+ a::D (enum)\n");
        assert_eq!(difference(old, old), "");
    }

    #[test]
    fn rust_tells_its_version() {
        assert_eq!(rust_version("rustc 1.95.0 (59807616e 2026-04-14)").unwrap(), "1.95");
        assert_eq!(rust_version("rustc 1.96.0-nightly (0 2026-04-14)").unwrap(), "1.96");
        assert!(rust_version("?").is_err());
    }
}
