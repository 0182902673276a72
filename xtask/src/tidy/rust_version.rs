//! The oldest Rust that the workspace builds with: the manifest's, the README's, and what the dependencies ask for. What the
//! workspace's own code needs is clippy's affair (`incompatible_msrv`), as far as the standard library goes.

use serde_json::Value;
use xshell::cmd;

use super::Violation;
use super::tree::Tree;
use crate::Outcome;
use crate::workspace::Workspace;

/// A package that says which Rust it needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Package {
    name: String,
    version: String,
    rust_version: Version,
}

/// Major, minor and patch; those left out are 0.
type Version = [u32; 3];

/// Reads what each package that is built, on whatever platform, says that it needs.
pub(super) fn packages(workspace: &Workspace) -> Outcome<Vec<Package>> {
    let shell = &workspace.shell;
    let metadata = cmd!(shell, "cargo metadata --format-version 1 --all-features --locked").quiet().read()?;
    Ok(parse(&serde_json::from_str(&metadata)?))
}

/// Checks that the manifest and the README name one version, and that no package needs a newer one.
pub(super) fn check(packages: &[Package], tree: &Tree) -> Vec<Violation> {
    let manifest = tree.text(MANIFEST).unwrap_or_default();
    let line = tree.line(MANIFEST, KEY);
    let value = manifest.lines().find_map(|it| it.strip_prefix(KEY)?.strip_suffix('"'));
    let Some((text, version)) = value.and_then(|text| Some((text, version(text)?))) else {
        return vec![Violation::new(MANIFEST, line, "no `rust-version` is set: add it to `[workspace.package]`")];
    };
    let mut violations = Vec::new();
    let mentions = mentions(tree.text(README).unwrap_or_default());
    if mentions.is_empty() {
        let message = format!("no Rust is named: say \"stable Rust {text} or newer\"");
        violations.push(Violation::new(README, 1, message));
    }
    for (line, mention) in mentions.into_iter().filter(|(_, it)| self::version(it) != Some(version)) {
        let message = format!("Rust {mention} is named, and {MANIFEST} has {text}: name the same");
        violations.push(Violation::new(README, line, message));
    }
    for package in packages.iter().filter(|it| it.rust_version > version) {
        let [major, minor, patch] = package.rust_version;
        let message = format!(
            "`rust-version` is {text}, and {} {} needs {major}.{minor}.{patch}: raise the one or lower the other",
            package.name, package.version,
        );
        violations.push(Violation::new(MANIFEST, line, message));
    }
    violations
}

fn parse(metadata: &Value) -> Vec<Package> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let built: Vec<_> = list(&metadata["resolve"]["nodes"]).iter().map(|node| node["id"].clone()).collect();
    let packages = list(&metadata["packages"]);
    let built = packages.iter().filter(|package| built.contains(&package["id"]));
    let needing = built.filter_map(|package| {
        Some(Package {
            name: package["name"].as_str()?.to_owned(),
            version: package["version"].as_str()?.to_owned(),
            rust_version: version(package["rust_version"].as_str()?)?,
        })
    });
    needing.collect()
}

fn version(text: &str) -> Option<Version> {
    let mut version = [0; 3];
    for (index, part) in text.split('.').enumerate() {
        *version.get_mut(index)? = part.parse().ok()?;
    }
    Some(version)
}

/// Line and version of each "stable Rust X.Y or newer", wherever the lines break.
fn mentions(readme: &str) -> Vec<(usize, &str)> {
    let words: Vec<_> = readme
        .lines()
        .enumerate()
        .flat_map(|(index, line)| line.split_whitespace().map(move |word| (index + 1, word)))
        .collect();
    let found = words.windows(5).filter_map(|it| match it {
        [(_, "stable"), (_, "Rust"), version, (_, "or"), (_, end)] if end.starts_with("newer") => Some(*version),
        _ => None,
    });
    found.collect()
}

const MANIFEST: &str = "Cargo.toml";
const README: &str = "README.md";
const KEY: &str = "rust-version = \"";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(manifest: &str, readme: &str, packages: &[Package]) -> Vec<String> {
        let tree = Tree::of(&[(MANIFEST, manifest), (README, readme)]);
        check(packages, &tree).iter().map(ToString::to_string).collect()
    }

    fn package(name: &str, rust_version: Version) -> Package {
        Package { name: name.to_owned(), version: "1.2.3".to_owned(), rust_version }
    }

    #[test]
    fn one_version_everywhere_passes() {
        let cases = [
            ("1.95", "It wants stable Rust 1.95 or newer.", [1, 95, 0]),
            ("1.95.0", "It wants stable Rust 1.95 or newer.", [1, 94, 1]),
            ("1.95", "It wants stable\nRust 1.95 or\nnewer, and C.", [1, 85, 9]),
            ("1.94.1", "It wants stable Rust 1.94.1 or newer.", [1, 94, 1]),
            ("1.100", "It wants stable Rust 1.100 or newer.", [1, 99, 0]),
        ];
        for (version, readme, needed) in cases {
            let manifest = format!("[workspace.package]\nrust-version = \"{version}\"\n");
            assert_eq!(said(&manifest, readme, &[package("a", needed)]), Vec::<String>::new(), "{version}");
        }
    }

    #[test]
    fn each_difference_is_a_violation() {
        let manifest = "[workspace.package]\nrust-version = \"1.94\"\n";
        let readme = "It wants stable Rust 1.94 or newer.\n";
        let cases: &[(&str, &str, Version, &[&str])] = &[
            ("", readme, [1, 0, 0], &["Cargo.toml:1: no `rust-version` is set: add it to `[workspace.package]`"]),
            (manifest, "\n", [1, 94, 0], &["README.md:1: no Rust is named: say \"stable Rust 1.94 or newer\""]),
            (
                manifest,
                "\nstable Rust 1.95 or newer\nstable Rust 1.94.1 or newer\n",
                [1, 94, 0],
                &[
                    "README.md:2: Rust 1.95 is named, and Cargo.toml has 1.94: name the same",
                    "README.md:3: Rust 1.94.1 is named, and Cargo.toml has 1.94: name the same",
                ],
            ),
            (
                manifest,
                readme,
                [1, 94, 1],
                &["Cargo.toml:2: `rust-version` is 1.94, and a 1.2.3 needs 1.94.1: raise the one or lower the other"],
            ),
            (
                manifest,
                readme,
                [2, 0, 0],
                &["Cargo.toml:2: `rust-version` is 1.94, and a 1.2.3 needs 2.0.0: raise the one or lower the other"],
            ),
        ];
        for (manifest, readme, needed, expected) in cases {
            assert_eq!(said(manifest, readme, &[package("a", *needed)]), *expected, "{readme}");
        }
    }

    #[test]
    fn only_what_is_built_counts() {
        let metadata = json!({
            "resolve": {"nodes": [{"id": "a"}, {"id": "b"}]},
            "packages": [
                {"id": "a", "name": "a", "version": "1.2.3", "rust_version": "1.85"},
                {"id": "b", "name": "b", "version": "1.2.3", "rust_version": null},
                {"id": "c", "name": "c", "version": "1.2.3", "rust_version": "1.99"},
            ],
        });
        assert_eq!(parse(&metadata), [package("a", [1, 85, 0])]);
    }
}
