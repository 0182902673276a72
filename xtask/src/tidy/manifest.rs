//! What every crate's manifest must say, and what docs.rs and the registry find beside the manifest of a published one.

use super::Violation;
use super::tree::Tree;

/// Checks one manifest; one that is no package passes.
pub(super) fn check(path: &str, text: &str, tree: &Tree) -> Vec<Violation> {
    if !text.lines().any(|it| it == "[package]") {
        return Vec::new();
    }
    let mut violations = Vec::new();
    let is_a_workspace = text.lines().any(|it| it == "[workspace]");
    if !is_a_workspace && !has(text, "[lints]", "workspace = true") {
        let message = "the workspace's lints do not apply: add `[lints]` with `workspace = true`";
        violations.push(Violation::new(path, 1, message));
    }
    if let Some(folder) = path.strip_suffix("/Cargo.toml").filter(|it| it.starts_with("crates/"))
        && !has(text, PACKAGE, "publish = false")
    {
        published(path, folder, text, tree, &mut violations);
    }
    violations
}

fn published(path: &str, folder: &str, text: &str, tree: &Tree, violations: &mut Vec<Violation>) {
    let name =
        section(text, PACKAGE).find_map(|it| it.strip_prefix("name = \"")?.strip_suffix('"')).unwrap_or_default();
    let documentation = format!("documentation = \"https://docs.rs/{name}\"");
    let wanted = [
        (PACKAGE, documentation.as_str()),
        (PACKAGE, "readme = \"README.md\""),
        (DOCS_RS, "all-features = true"),
        (DOCS_RS, "rustdoc-args = [\"--cfg\", \"docsrs\"]"),
    ];
    for (heading, line) in wanted.into_iter().filter(|(heading, line)| !has(text, heading, line)) {
        violations.push(Violation::new(path, 1, format!("`{heading}` lacks `{line}`: add it")));
    }
    let readme = format!("{folder}/README.md");
    if tree.text(&readme).is_none() {
        violations.push(Violation::new(
            &readme,
            1,
            "the crate has no README.md: say what it is and what it refuses to do",
        ));
    }
    for licence in LICENCES {
        let path = format!("{folder}/{licence}");
        if tree.text(&path).is_none() {
            let message = format!("the package lacks the licence's text: link it, `ln -s ../../{licence} {path}`");
            violations.push(Violation::new(&path, 1, message));
        }
    }
    let library = format!("{folder}/src/lib.rs");
    if tree.text(&library).is_some_and(|it| !it.lines().any(|it| it == DOC_CFG)) {
        violations.push(Violation::new(
            &library,
            1,
            format!("docs.rs cannot name the features of items: add `{DOC_CFG}`"),
        ));
    }
}

fn has(text: &str, heading: &str, line: &str) -> bool {
    section(text, heading).any(|it| it == line)
}

fn section<'a>(text: &'a str, heading: &str) -> impl Iterator<Item = &'a str> {
    text.lines().skip_while(move |it| *it != heading).skip(1).take_while(|it| !it.starts_with('['))
}

const PACKAGE: &str = "[package]";
const DOCS_RS: &str = "[package.metadata.docs.rs]";
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];
const DOC_CFG: &str = "#![cfg_attr(docsrs, feature(doc_cfg))]";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_takes_the_lints_of_the_workspace() {
        let cases = [
            ("[package]\nname = \"x\"\n\n[lints]\nworkspace = true\n", true),
            ("[workspace]\nmembers = []\n", true),
            ("[workspace]\n\n[package]\nname = \"x\"\n", true),
            ("[package]\nname = \"x\"\n", false),
            ("[package]\nname = \"x\"\n\n[lints]\n", false),
            ("[package]\nname = \"x\"\n\n[lints.rust]\nunsafe_code = \"warn\"\n", false),
            ("[package]\nname = \"x\"\n\n[lints]\n\n[dependencies.y]\nworkspace = true\n", false),
        ];
        for (text, passes) in cases {
            assert_eq!(check("x/Cargo.toml", text, &Tree::of(&[])).is_empty(), passes, "{text}");
        }
    }

    const MANIFEST: &str = "crates/x/Cargo.toml";
    const README: (&str, &str) = ("crates/x/README.md", "# x\n");
    const LIBRARY: (&str, &str) = ("crates/x/src/lib.rs", "//! X.\n\n#![cfg_attr(docsrs, feature(doc_cfg))]\n");
    const GOOD: &str = "\
[package]
name = \"x\"
documentation = \"https://docs.rs/x\"
readme = \"README.md\"

[package.metadata.docs.rs]
all-features = true
rustdoc-args = [\"--cfg\", \"docsrs\"]

[lints]
workspace = true
";

    /// Path and text of each file.
    type Files<'a> = &'a [(&'a str, &'a str)];

    fn said(path: &str, text: &str, files: Files) -> Vec<String> {
        let licences = LICENCES.map(|it| (format!("crates/x/{it}"), "text"));
        let licences = licences.iter().map(|(path, text)| (path.as_str(), *text));
        check(path, text, &Tree::of(&files.iter().copied().chain(licences).collect::<Vec<_>>()))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_published_crate_is_documented() {
        let private = "[package]\nname = \"x\"\npublish = false\n\n[lints]\nworkspace = true\n";
        let cases: &[(&str, &str, Files)] = &[
            (MANIFEST, GOOD, &[README, LIBRARY]),
            (MANIFEST, GOOD, &[README, ("crates/x/src/main.rs", "//! A program.\n")]),
            (MANIFEST, private, &[LIBRARY]),
            ("xtask/Cargo.toml", "[package]\nname = \"xtask\"\n\n[lints]\nworkspace = true\n", &[]),
        ];
        for (path, text, files) in cases {
            assert_eq!(said(path, text, files), Vec::<String>::new(), "{path} {files:?}");
        }
    }

    #[test]
    fn what_a_published_crate_lacks_is_a_violation() {
        let cases = [
            (
                "documentation = \"https://docs.rs/x\"\n",
                "`[package]` lacks `documentation = \"https://docs.rs/x\"`: add it",
            ),
            ("readme = \"README.md\"\n", "`[package]` lacks `readme = \"README.md\"`: add it"),
            ("all-features = true\n", "`[package.metadata.docs.rs]` lacks `all-features = true`: add it"),
            (
                "rustdoc-args = [\"--cfg\", \"docsrs\"]\n",
                "`[package.metadata.docs.rs]` lacks `rustdoc-args = [\"--cfg\", \"docsrs\"]`: add it",
            ),
        ];
        for (line, expected) in cases {
            let expected = format!("{MANIFEST}:1: {expected}");
            assert_eq!(said(MANIFEST, &GOOD.replace(line, ""), &[README, LIBRARY]), [expected.as_str()], "{line}");
            let elsewhere = format!("{}\n[package.metadata.x]\n{line}", GOOD.replace(line, ""));
            assert_eq!(said(MANIFEST, &elsewhere, &[README, LIBRARY]), [expected.as_str()], "{line} elsewhere");
        }
        assert_eq!(
            said(MANIFEST, &GOOD.replace("docs.rs/x", "docs.rs/y"), &[README, LIBRARY]),
            ["crates/x/Cargo.toml:1: `[package]` lacks `documentation = \"https://docs.rs/x\"`: add it"],
        );
        assert_eq!(
            said(MANIFEST, GOOD, &[LIBRARY]),
            ["crates/x/README.md:1: the crate has no README.md: say what it is and what it refuses to do"],
        );
        let bare: Vec<_> =
            check(MANIFEST, GOOD, &Tree::of(&[README, LIBRARY])).iter().map(ToString::to_string).collect();
        assert_eq!(
            bare,
            LICENCES.map(|it| {
                format!(
                    "crates/x/{it}:1: the package lacks the licence's text: link it, `ln -s ../../{it} crates/x/{it}`"
                )
            })
        );
        assert_eq!(
            said(MANIFEST, GOOD, &[README, ("crates/x/src/lib.rs", "//! X.\n")]),
            [
                "crates/x/src/lib.rs:1: docs.rs cannot name the features of items: add `#![cfg_attr(docsrs, feature(doc_cfg))]`"
            ],
        );
    }
}
