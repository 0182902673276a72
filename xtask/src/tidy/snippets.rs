//! The Rust of `README.md` and of the guide: each block is a part of an example that runs, and pastes as it is. And the table of the
//! guide, which lists every example. It compiles nothing; the documentation's tests do.

use std::collections::BTreeSet;

use super::Violation;
use super::tree::Tree;

/// Checks the blocks, the table, and the length of the examples in it.
pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let examples: Vec<_> =
        tree.files().filter(|(path, _)| path.starts_with(EXAMPLES) && path.ends_with(".rs")).collect();
    let mut violations = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| *path == README || path.starts_with(CHAPTERS)) {
        for (line, block) in blocks(text) {
            if let Some(message) = fault(&block, &examples, path == README) {
                violations.push(Violation::new(path, line, message));
            }
        }
    }
    table(tree, &examples, &mut violations);
    violations
}

/// The blocks of Rust, each with the line on which it begins.
fn blocks(text: &str) -> Vec<(usize, Vec<&str>)> {
    let mut lines = text.lines().enumerate();
    let mut blocks = Vec::new();
    while let Some((index, line)) = lines.next() {
        if line.starts_with("```rust") {
            blocks.push((index + 1, lines.by_ref().map(|(_, it)| it).take_while(|it| *it != "```").collect()));
        } else if line.starts_with("```") {
            lines.by_ref().find(|(_, it)| *it == "```");
        }
    }
    blocks
}

/// What is wrong with a block.
fn fault(block: &[&str], examples: &[(&str, &str)], short: bool) -> Option<String> {
    if let Some(line) = block.iter().find(|it| it.starts_with("# ") || **it == "#") {
        return Some(format!("`{line}` is hidden by rustdoc alone: whoever pastes the block gets it, so leave it out"));
    }
    if short && block.len() > QUICK_START {
        return Some(format!("a quick start of {} lines: {QUICK_START} are allowed", block.len()));
    }
    // A block brings the imports of its own items; what they import, the compiler checks.
    let mut lines = block.iter().copied().peekable();
    while lines.peek().is_some_and(|it| it.is_empty() || it.starts_with("use ")) {
        let ends = |line: &str| line.is_empty() || line.ends_with(';');
        lines.by_ref().find(|line| ends(line));
    }
    let body: Vec<_> = lines.collect();
    // Items that the block has one after the other may stand apart in the example.
    let items = body.split(|line| line.is_empty()).fold(Vec::<Vec<&str>>::new(), |mut items, part| {
        match items.last_mut() {
            Some(item) if part.first().is_some_and(|it| it.starts_with([' ', '}'])) => {
                item.push("");
                item.extend(part);
            }
            _ => items.push(part.to_vec()),
        }
        items
    });
    let stands_in = |example: &str| {
        let lines: Vec<_> = example.lines().collect();
        items.iter().all(|item| lines.windows(item.len().max(1)).any(|part| part == item.as_slice()))
    };
    (body.is_empty() || !examples.iter().any(|(_, text)| stands_in(text)))
        .then(|| format!("no example in {EXAMPLES} has these lines: take them from one that runs"))
}

/// Checks that the table of the guide has each example and nothing else, and that a chapter's example is short.
fn table(tree: &Tree, examples: &[(&str, &str)], violations: &mut Vec<Violation>) {
    let Some(guide) = tree.text(GUIDE) else { return };
    let names: BTreeSet<_> = examples
        .iter()
        .filter_map(|(path, _)| path.strip_prefix(EXAMPLES)?.strip_suffix(".rs"))
        .filter_map(|it| if it.contains('/') { it.strip_suffix("/main") } else { Some(it) })
        .collect();
    let mut listed = BTreeSet::new();
    for (index, line) in guide.lines().enumerate() {
        let Some(row) = line.strip_prefix("//! | ") else { continue };
        let mut cells = row.split('|').map(str::trim);
        let (Some(chapter), Some(example)) = (cells.next(), cells.next()) else { continue };
        let Some(name) = example.strip_prefix('`').and_then(|it| it.strip_suffix('`')) else { continue };
        listed.insert(name);
        if !names.contains(name) {
            violations.push(Violation::new(GUIDE, index + 1, format!("there is no example `{name}`")));
        }
        let text = examples.iter().find(|(path, _)| *path == format!("{EXAMPLES}{name}.rs")).map_or("", |it| it.1);
        let lines = text.lines().filter(|it| !it.trim().is_empty() && !it.starts_with("//!")).count();
        if chapter.starts_with('[') && lines >= CHAPTER {
            let message = format!("the chapter's example `{name}` has {lines} lines of code: less than {CHAPTER}");
            violations.push(Violation::new(GUIDE, index + 1, message));
        }
    }
    for name in names.difference(&listed) {
        violations.push(Violation::new(GUIDE, 1, format!("the table of examples lacks `{name}`: say what it shows")));
    }
}

const README: &str = "README.md";
const GUIDE: &str = "crates/agentcore-client/src/guide.rs";
const CHAPTERS: &str = "crates/agentcore-client/src/guide/";
const EXAMPLES: &str = "crates/agentcore-client/examples/";
/// The most lines of a block of the README, imports included.
const QUICK_START: usize = 15;
/// A chapter's example has fewer lines, without empty ones and its header.
const CHAPTER: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: (&str, &str) = (
        "crates/agentcore-client/examples/one.rs",
        "//! One.\n\nuse a::B;\n\nfn f() {\n    g();\n\n    h();\n}\n\nfn i() {}\n\nfn main() {\n    f();\n}\n",
    );

    fn said(readme: &str) -> Vec<String> {
        check(&Tree::of(&[EXAMPLE, (README, readme)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_part_of_an_example_passes() {
        for block in [
            "fn f() {\n    g();\n\n    h();\n}",
            "use a::B;\n\nfn i() {}",
            "use a::{\n    B,\n};\nuse c::D;\n\nfn i() {}",
            "fn f() {\n    g();\n\n    h();\n}\n\nfn main() {\n    f();\n}",
        ] {
            assert_eq!(said(&format!("# T\n\n```rust\n{block}\n```\n")), Vec::<String>::new(), "{block}");
        }
        assert_eq!(said("```console\n$ ls\n```\n\n```js\nx\n```\n"), Vec::<String>::new());
    }

    #[test]
    fn every_other_block_is_a_violation() {
        let elsewhere = "README.md:3: no example in crates/agentcore-client/examples/ has these lines: take them from one that runs";
        for block in
            ["fn f() {\n    g();\n}", "fn f() {", "use a::B;", "fn j() {}", "fn i() {}\nfn main() {\n    f();\n}"]
        {
            let expected: &[&str] = if block == "fn f() {" { &[] } else { &[elsewhere] };
            assert_eq!(said(&format!("# T\n\n```rust\n{block}\n```\n")), expected, "{block}");
        }
        let hidden = said("# T\n\n```rust,no_run\nfn i() {}\n# Ok(())\n```\n");
        assert_eq!(
            hidden,
            ["README.md:3: `# Ok(())` is hidden by rustdoc alone: whoever pastes the block gets it, so leave it out"]
        );
        let long = said(&format!("```rust\n{}fn i() {{}}\n```\n", "use a::B;\n".repeat(15)));
        assert_eq!(long, ["README.md:1: a quick start of 16 lines: 15 are allowed"]);
    }

    #[test]
    fn the_table_has_every_example() {
        let with = |table: &str, one: &str| {
            let tree = Tree::of(&[
                (EXAMPLE.0, one),
                ("crates/agentcore-client/examples/two/main.rs", "fn main() {}\n"),
                ("crates/agentcore-client/examples/two/part.rs", "fn f() {}\n"),
                (GUIDE, table),
            ]);
            check(&tree).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let table = "//! | chapter | example |\n//! |---|---|\n//! | [One](one) | `one` |\n//! | | `two` | a |\n";
        assert_eq!(with(table, EXAMPLE.1), Vec::<String>::new());
        let long = format!("//! One.\n{}", "\nf();\n".repeat(60));
        assert_eq!(
            with(table, &long),
            ["crates/agentcore-client/src/guide.rs:3: the chapter's example `one` has 60 lines of code: less than 60"]
        );
        assert_eq!(with(table, &format!("//! One.\n{}", "\nf();\n".repeat(59))), Vec::<String>::new());
        assert_eq!(
            with("//! | [One](one) | `other` |\n//! | | `two` |\n", EXAMPLE.1),
            [
                "crates/agentcore-client/src/guide.rs:1: there is no example `other`",
                "crates/agentcore-client/src/guide.rs:1: the table of examples lacks `one`: say what it shows"
            ]
        );
    }
}
