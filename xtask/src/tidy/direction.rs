//! Who may depend on whom: the picture of `ARCHITECTURE.md`, as tables.

use std::collections::BTreeMap;

use super::Violation;
use super::tree::Tree;
use crate::graph::{Graph, Member};

/// Checks the direction among the workspace's crates, the fences around other people's, and their single versions.
pub(super) fn check(graph: &Graph, tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for member in &graph.members {
        directions(member, tree, &mut violations);
        fences(member, tree, &mut violations);
    }
    duplicates(graph, tree, &mut violations);
    violations
}

/// A crate of the workspace and what it stands on.
struct Room {
    name: &'static str,
    builds_on: &'static [&'static str],
    tests_with: &'static [&'static str],
}

fn directions(member: &Member, tree: &Tree, violations: &mut Vec<Violation>) {
    let Some(room) = PICTURE.iter().find(|it| it.name == member.name) else {
        let message =
            format!("{} has no place in the picture: give it one in xtask/src/tidy/direction.rs", member.name);
        violations.push(Violation::new(&member.manifest, 1, message));
        return;
    };
    for dependency in member.dependencies.iter().filter(|it| PICTURE.iter().any(|room| room.name == it.name)) {
        let name = dependency.name.as_str();
        if room.builds_on.contains(&name) || dependency.dev && room.tests_with.contains(&name) {
            continue;
        }
        let message = format!(
            "{} must not depend on {name}: {}; move what is needed to a crate that both may use",
            member.name,
            if room.builds_on.is_empty() {
                "it builds on no other crate".to_owned()
            } else {
                format!("it builds on {} alone", room.builds_on.join(", "))
            },
        );
        violations.push(Violation::new(&member.manifest, tree.line(&member.manifest, name), message));
    }
}

fn fences(member: &Member, tree: &Tree, violations: &mut Vec<Violation>) {
    for dependency in member.dependencies.iter().filter(|it| !it.dev) {
        let fence = FENCES.iter().find(|(foreign, _)| foreign.contains(&dependency.name.as_str()));
        let Some((_, owners)) = fence.filter(|(_, owners)| !owners.contains(&member.name.as_str())) else { continue };
        let message =
            format!("{} is named in {} only: use what it offers instead", dependency.name, owners.join(" and "));
        let line = tree.line(&member.manifest, &dependency.name);
        violations.push(Violation::new(&member.manifest, line, message));
    }
}

fn duplicates(graph: &Graph, tree: &Tree, violations: &mut Vec<Violation>) {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, version) in &graph.packages {
        versions.entry(name).or_default().push(version);
    }
    for name in SINGLE {
        let Some(versions) = versions.get(name).filter(|it| it.len() > 1) else { continue };
        let line = tree.line(LOCK, &format!("name = \"{name}\""));
        let message = format!(
            "{name} is in the tree as {}: find who asks for the odd one with `cargo tree --invert {name}@VERSION`",
            versions.join(" and "),
        );
        violations.push(Violation::new(LOCK, line, message));
    }
}

const CORE: &str = "agentcore-core";
const AUTH: &str = "agentcore-auth";
const TRANSPORT: &str = "agentcore-transport";
const HTTP: &str = "agentcore-http";
const WS: &str = "agentcore-ws";
const FACADE: &str = "agentcore-client";
const MOCK: &str = "agentcore-mock";
const CLI: &str = "agentcore-cli";
const BENCHES: &str = "agentcore-benches";
const XTASK: &str = "xtask";
const CAPTURED_LOG: &str = "agentcore-captured-log";

/// Nothing may depend on the command line, on the tests, on the benches or on xtask: they are in nobody's list.
const PICTURE: &[Room] = &[
    Room { name: CORE, builds_on: &[], tests_with: &[] },
    Room { name: AUTH, builds_on: &[CORE], tests_with: &[CAPTURED_LOG] },
    Room { name: TRANSPORT, builds_on: &[CORE, AUTH], tests_with: &[MOCK] },
    Room { name: HTTP, builds_on: &[CORE, AUTH, TRANSPORT], tests_with: &[MOCK] },
    Room { name: WS, builds_on: &[CORE, AUTH, TRANSPORT], tests_with: &[MOCK] },
    Room { name: FACADE, builds_on: &[CORE, AUTH, HTTP, WS], tests_with: &[MOCK] },
    Room { name: MOCK, builds_on: &[CORE], tests_with: &[FACADE] },
    Room { name: CLI, builds_on: &[FACADE, MOCK], tests_with: &[] },
    Room {
        name: "agentcore-tests",
        builds_on: &[],
        tests_with: &[CORE, AUTH, TRANSPORT, HTTP, WS, FACADE, MOCK, CAPTURED_LOG],
    },
    Room { name: CAPTURED_LOG, builds_on: &[], tests_with: &[] },
    Room { name: "alone-auth", builds_on: &[AUTH], tests_with: &[] },
    Room { name: "alone-http", builds_on: &[HTTP], tests_with: &[] },
    Room { name: "alone-ws", builds_on: &[WS], tests_with: &[] },
    Room { name: BENCHES, builds_on: &[CORE, AUTH, TRANSPORT, HTTP, FACADE], tests_with: &[] },
    Room { name: XTASK, builds_on: &[], tests_with: &[] },
];

/// Other people's crates and the only ones of ours that name them outside of tests.
const FENCES: &[(&[&str], &[&str])] = &[
    (&["hyper-rustls"], &[TRANSPORT, BENCHES]),
    (&["hyper", "hyper-util"], &[TRANSPORT, BENCHES, MOCK]),
    (&["tungstenite", "tokio-tungstenite"], &[WS, MOCK]),
    (&["axum"], &[MOCK]),
    (&["redis"], &[AUTH]),
    (&["rmcp"], &[FACADE]),
    (&["clap", "clap_complete"], &[CLI, XTASK]),
];

/// One version each in the whole tree.
const SINGLE: &[&str] = &["http", "hyper", "rustls", "tokio"];
const LOCK: &str = "Cargo.lock";

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::graph::Dependency;

    /// Checks one crate that depends on another, or develops with it.
    fn verdict(name: &str, dependency: &str, dev: bool) -> Option<String> {
        let manifest = format!("crates/{name}/Cargo.toml");
        let text = format!("[package]\n\n[dependencies]\n{dependency}.workspace = true\n");
        let member = Member {
            name: name.to_owned(),
            manifest: manifest.clone(),
            dependencies: vec![Dependency { name: dependency.to_owned(), dev }],
            features: BTreeMap::new(),
        };
        let graph = Graph { members: vec![member], packages: [].into() };
        let violations = check(&graph, &Tree::of(&[(&manifest, &text)]));
        assert!(violations.len() < 2, "{violations:?}");
        violations.first().map(ToString::to_string)
    }

    #[test]
    fn what_the_picture_shows_is_allowed() {
        let cases = [
            (AUTH, CORE, false),
            (HTTP, AUTH, false),
            (WS, AUTH, false),
            (FACADE, HTTP, false),
            (FACADE, MOCK, true),
            (CLI, FACADE, false),
            (CLI, MOCK, false),
            (MOCK, CORE, false),
            ("agentcore-tests", FACADE, true),
            (HTTP, TRANSPORT, false),
            (WS, TRANSPORT, false),
            (TRANSPORT, "hyper-util", false),
            (BENCHES, "hyper-util", false),
            (MOCK, "hyper-util", false),
            (BENCHES, FACADE, false),
            (WS, "tokio-tungstenite", false),
            (MOCK, "tokio-tungstenite", false),
            (MOCK, "hyper", false),
            (MOCK, "axum", false),
            (XTASK, "clap", false),
            (CLI, "hyper", true),
            (CORE, "serde", false),
        ];
        for (name, dependency, dev) in cases {
            assert_eq!(verdict(name, dependency, dev), None, "{name} {dependency}");
        }
    }

    #[test]
    fn what_it_does_not_show_is_a_violation() {
        let cases = [
            (CORE, AUTH, false, "agentcore-core must not depend on agentcore-auth: it builds on no other crate"),
            (CORE, MOCK, true, "agentcore-core must not depend on agentcore-mock: it builds on no other crate"),
            (AUTH, HTTP, false, "agentcore-auth must not depend on agentcore-http: it builds on agentcore-core alone"),
            (HTTP, WS, false, "agentcore-http must not depend on agentcore-ws: it builds on"),
            (WS, HTTP, false, "agentcore-ws must not depend on agentcore-http: it builds on"),
            (TRANSPORT, HTTP, false, "agentcore-transport must not depend on agentcore-http: it builds on"),
            (WS, HTTP, true, "agentcore-ws must not depend on agentcore-http: it builds on"),
            (FACADE, MOCK, false, "agentcore-client must not depend on agentcore-mock: it builds on"),
            (
                MOCK,
                FACADE,
                false,
                "agentcore-mock must not depend on agentcore-client: it builds on agentcore-core alone",
            ),
            (
                CLI,
                HTTP,
                false,
                "agentcore-cli must not depend on agentcore-http: it builds on agentcore-client, agentcore-mock",
            ),
            (FACADE, CLI, true, "agentcore-client must not depend on agentcore-cli"),
            (FACADE, XTASK, true, "agentcore-client must not depend on xtask"),
            ("agentcore-tests", CLI, true, "agentcore-tests must not depend on agentcore-cli"),
            (FACADE, BENCHES, true, "agentcore-client must not depend on agentcore-benches"),
            (BENCHES, MOCK, false, "agentcore-benches must not depend on agentcore-mock: it builds on"),
            (BENCHES, "axum", false, "axum is named in agentcore-mock only"),
            (
                CLI,
                "hyper",
                false,
                "hyper is named in agentcore-transport and agentcore-benches and agentcore-mock only",
            ),
            (MOCK, "hyper-rustls", false, "hyper-rustls is named in agentcore-transport and agentcore-benches only"),
            (
                HTTP,
                "hyper-util",
                false,
                "hyper-util is named in agentcore-transport and agentcore-benches and agentcore-mock only",
            ),
            (HTTP, "tokio-tungstenite", false, "tokio-tungstenite is named in agentcore-ws and agentcore-mock only"),
            (FACADE, "axum", false, "axum is named in agentcore-mock only"),
            (CLI, "rmcp", false, "rmcp is named in agentcore-client only"),
            (FACADE, "clap", false, "clap is named in agentcore-cli and xtask only"),
        ];
        for (name, dependency, dev, expected) in cases {
            let said = verdict(name, dependency, dev).unwrap_or_default();
            assert!(
                said.starts_with(&format!("crates/{name}/Cargo.toml:4: {expected}")),
                "{name} {dependency}: {said}"
            );
        }
    }

    #[test]
    fn a_crate_without_a_place_is_a_violation() {
        let said = verdict("agentcore-new", "serde", false).unwrap_or_default();
        assert!(
            said.starts_with("crates/agentcore-new/Cargo.toml:1: agentcore-new has no place in the picture"),
            "{said}"
        );
    }

    #[test]
    fn two_versions_of_a_single_crate_are_a_violation() {
        let package = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        let packages = [
            package("base64", "0.22.1"),
            package("base64", "0.23.1"),
            package("http", "1.5.0"),
            package("hyper", "0.14.32"),
            package("hyper", "1.12.0"),
        ];
        let graph = Graph { members: Vec::new(), packages: packages.into() };
        let tree = Tree::of(&[(LOCK, "[[package]]\nname = \"http\"\n\n[[package]]\nname = \"hyper\"\n")]);
        let said: Vec<_> = check(&graph, &tree).iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("Cargo.lock:5: hyper is in the tree as 0.14.32 and 1.12.0"), "{said:?}");
    }
}
