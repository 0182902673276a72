//! What is promised, and the tests that are said to hold it: each that a table names must be there.

use super::Violation;
use super::tree::Tree;

/// Checks the last column of the tables of these files, whose names in backquotes are files, crates and functions.
pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for path in [SECURITY, LIMITS] {
        for (index, line) in tree.text(path).unwrap_or_default().lines().enumerate() {
            let Some(cell) =
                line.strip_prefix('|').and_then(|row| row.trim_end().strip_suffix('|')?.rsplit('|').next())
            else {
                continue;
            };
            // Every other piece stands in backquotes.
            for name in cell.split('`').skip(1).step_by(2).filter(|name| !is_there(name, tree)) {
                let message = format!("there is no test `{name}`: name the one that holds this, or write it");
                violations.push(Violation::new(path, index + 1, message));
            }
        }
    }
    violations
}

/// A name with a space is a command, or a line of a file that another rule holds.
fn is_there(name: &str, tree: &Tree) -> bool {
    let mut files = tree.files().filter(|(path, _)| path.ends_with(".rs"));
    match name {
        _ if name.contains(' ') => true,
        _ if name.contains('/') || name.ends_with(".rs") => {
            let end = format!("/{name}");
            files.any(|(path, _)| format!("/{path}").contains(&end))
        }
        _ if name.contains('-') => files.any(|(path, _)| path.starts_with(&format!("crates/{name}/"))),
        _ => {
            let function = format!("fn {name}(");
            files.any(|(_, text)| text.contains(&function))
        }
    }
}

const SECURITY: &str = "SECURITY.md";
const LIMITS: &str = "docs/limits.md";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_test_that_is_named_is_there() {
        let files = [
            ("tests/faults.rs", "async fn what_is_sent_again() {}"),
            ("tests/fuzz/main.rs", ""),
            ("crates/agentcore-core/src/call/retry.rs", "fn table() {}"),
            ("crates/agentcore-cli/tests/cli/terminal.rs", ""),
        ];
        for (cell, missing) in [
            ("`what_is_sent_again` (`tests/faults.rs`)", None),
            ("`tests/fuzz` and `cargo xtask fuzz`", None),
            ("`agentcore-core/src/call/retry.rs`, `call/retry.rs`", None),
            ("`terminal.rs` (agentcore-cli's tests)", None),
            ("`agentcore-core`, `table`", None),
            ("`table_of_all`", Some("table_of_all")),
            ("`tests/faults.rs`, `tests/fault.rs`", Some("tests/fault.rs")),
            ("`agentcore-auth`", Some("agentcore-auth")),
            ("`agentcore-core/src/call/tries.rs`", Some("agentcore-core/src/call/tries.rs")),
            ("`al.rs`", Some("al.rs")),
        ] {
            let text = format!("# Security\n\n| promise | held by |\n|---|---|\n| A thing, `such`. | {cell} |\n");
            let tree = Tree::of(&[&files[..], &[("SECURITY.md", &text)]].concat());
            let found: Vec<_> = check(&tree).iter().map(ToString::to_string).collect();
            let expected = missing.map(|name| {
                format!("SECURITY.md:5: there is no test `{name}`: name the one that holds this, or write it")
            });
            assert_eq!(found, Vec::from_iter(expected), "{cell}");
        }
    }
}
