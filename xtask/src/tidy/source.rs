//! What every Rust file must be: introduced, short, named after its module, and without silenced lints.

use super::Violation;
use super::tree::is_unit_tests;

/// Checks one file.
pub(super) fn check(path: &str, text: &str) -> Vec<Violation> {
    let mut violations = Vec::new();
    if !text.starts_with("//!") {
        let message = "the file does not begin with `//!`: say what it is and what it refuses to do";
        violations.push(Violation::new(path, 1, message));
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    if name == "mod.rs" {
        violations.push(Violation::new(path, 1, "a module is `foo.rs` beside `foo/`: move the file up and rename it"));
    }
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if line.starts_with(ALLOW) || line.starts_with(ALLOW_ALL) {
            let message = "a silenced lint: use `expect` and give the `reason`";
            violations.push(Violation::new(path, index + 1, message));
        }
    }
    let lines = code_lines(text);
    if lines > LONGEST && !is_unit_tests(path) {
        let message = format!("{lines} lines of code, {LONGEST} at most: find the second subject and give it a file");
        violations.push(Violation::new(path, 1, message));
    }
    violations
}

/// Counts the lines that are neither blank nor comments, up to an inline module of tests.
fn code_lines(text: &str) -> usize {
    let mut lines = text.lines().map(str::trim).peekable();
    let mut count = 0;
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" && lines.peek().is_some_and(|it| it.starts_with("mod ") && it.ends_with('{')) {
            break;
        }
        count += usize::from(!line.is_empty() && !line.starts_with("//"));
    }
    count
}

/// Lines of code in one file. Tests, comments and blank lines are not counted.
const LONGEST: usize = 400;
// Split, so that this file passes its own check.
const ALLOW: &str = concat!("#[", "allow(");
const ALLOW_ALL: &str = concat!("#![", "allow(");

#[cfg(test)]
mod tests {
    use super::*;

    fn said(path: &str, text: &str) -> Vec<String> {
        check(path, text).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_good_file_passes() {
        let text = "//! A file.\n\n#[expect(dead_code, reason = \"a sample\")]\nfn f() {}\n";
        assert_eq!(said("src/good.rs", text), Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_a_violation() {
        let cases = [
            ("src/a.rs", "fn f() {}\n".to_owned(), "src/a.rs:1: the file does not begin with `//!`"),
            ("src/a/mod.rs", "//! A.\n".to_owned(), "src/a/mod.rs:1: a module is `foo.rs` beside `foo/`"),
            ("src/a.rs", format!("//! A.\n    {ALLOW}dead_code)]\n"), "src/a.rs:2: a silenced lint"),
            ("src/a.rs", format!("//! A.\n\n{ALLOW_ALL}dead_code)]\n"), "src/a.rs:3: a silenced lint"),
            ("src/a.rs", format!("//! A.\n{}", "x();\n".repeat(401)), "src/a.rs:1: 401 lines of code, 400 at most"),
        ];
        for (path, text, expected) in cases {
            let said = said(path, &text);
            assert!(said.len() == 1 && said[0].starts_with(expected), "{expected}: {said:?}");
        }
    }

    #[test]
    fn only_code_counts() {
        let cases = [
            ("//! A.\n\n// Why.\n/// What.\nfn f() {\n\n    g(); // so\n}\n", 3),
            ("a\n#[cfg(test)]\nmod tests {\n    b\n}\n", 1),
            ("a\n#[cfg(test)]\nmod tests;\nb\n", 4),
            ("a\n#[cfg(test)]\nfn only_in_tests() {}\n", 3),
        ];
        for (text, lines) in cases {
            assert_eq!(code_lines(text), lines, "{text}");
        }
        let long = format!("//! A.\n{}", "x();\n".repeat(401));
        for path in ["x/src/a/tests.rs", "x/src/a/tests/b.rs"] {
            assert_eq!(said(path, &long), Vec::<String>::new(), "unit tests may be long");
        }
        assert_eq!(said("tests/tests/b.rs", &long).len(), 1, "integration tests may not");
        let full = format!("//! A.\n{}", "x();\n".repeat(400));
        assert_eq!(said("src/a.rs", &full), Vec::<String>::new(), "400 is not too much");
    }
}
