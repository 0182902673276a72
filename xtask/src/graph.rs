//! The dependency graph as `cargo metadata` tells it: the workspace's crates and the versions they resolve to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::Outcome;

/// The workspace's crates and everything they resolve to.
#[derive(Debug)]
pub(crate) struct Graph {
    /// The workspace's own crates.
    pub(crate) members: Vec<Member>,
    /// Name and version of every package that some member builds with, members included.
    pub(crate) packages: BTreeSet<(String, String)>,
}

/// One crate of the workspace.
#[derive(Debug)]
pub(crate) struct Member {
    /// The package's name.
    pub(crate) name: String,
    /// Its manifest, relative to the root.
    pub(crate) manifest: String,
    /// What its manifest asks for.
    pub(crate) dependencies: Vec<Dependency>,
    /// Its features and what each turns on.
    pub(crate) features: BTreeMap<String, Vec<String>>,
}

/// One line of a manifest's dependencies.
#[derive(Debug)]
pub(crate) struct Dependency {
    /// The package's name, whatever the manifest renames it to.
    pub(crate) name: String,
    /// Whether only tests, examples and benches see it.
    pub(crate) dev: bool,
}

impl Graph {
    /// Reads the JSON of `cargo metadata`.
    pub(crate) fn parse(metadata: &Value) -> Outcome<Self> {
        let root = text(&metadata["workspace_root"])?;
        let ids: BTreeSet<_> = list(&metadata["workspace_members"])?.iter().filter_map(Value::as_str).collect();
        // `packages` also lists what no feature turns on; only the nodes of `resolve` are built.
        let resolved: BTreeSet<_> =
            list(&metadata["resolve"]["nodes"])?.iter().filter_map(|node| node["id"].as_str()).collect();
        let mut graph = Self { members: Vec::new(), packages: BTreeSet::new() };
        for package in list(&metadata["packages"])? {
            let id = text(&package["id"])?;
            if resolved.contains(id) {
                graph.packages.insert((text(&package["name"])?.to_owned(), text(&package["version"])?.to_owned()));
            }
            if ids.contains(id) {
                graph.members.push(Member::parse(package, root)?);
            }
        }
        Ok(graph)
    }
}

impl Member {
    fn parse(package: &Value, root: &str) -> Outcome<Self> {
        let manifest = text(&package["manifest_path"])?;
        let dependencies = list(&package["dependencies"])?
            .iter()
            .map(|it| Ok(Dependency { name: text(&it["name"])?.to_owned(), dev: it["kind"] == "dev" }))
            .collect::<Outcome<_>>()?;
        Ok(Self {
            name: text(&package["name"])?.to_owned(),
            manifest: manifest.strip_prefix(root).unwrap_or(manifest).trim_start_matches(['/', '\\']).to_owned(),
            dependencies,
            features: serde_json::from_value(package["features"].clone())?,
        })
    }
}

fn text(value: &Value) -> Outcome<&str> {
    value.as_str().ok_or_else(|| format!("cargo metadata has {value} where a string is expected").into())
}

fn list(value: &Value) -> Outcome<&Vec<Value>> {
    value.as_array().ok_or_else(|| format!("cargo metadata has {value} where a list is expected").into())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn metadata_becomes_a_graph() {
        let graph = Graph::parse(&json!({
            "workspace_root": "/ws",
            "workspace_members": ["a"],
            "resolve": {"nodes": [{"id": "a"}, {"id": "b"}]},
            "packages": [
                {"id": "a", "name": "one", "version": "0.1.0", "manifest_path": "/ws/one/Cargo.toml",
                 "dependencies": [{"name": "two", "kind": null}, {"name": "three", "kind": "dev"}],
                 "features": {"default": ["x"], "x": []}},
                {"id": "b", "name": "two", "version": "2.0.0"},
                {"id": "c", "name": "unused", "version": "3.0.0"},
            ],
        }))
        .unwrap();
        assert_eq!(graph.members.len(), 1);
        assert_eq!(graph.members[0].manifest, "one/Cargo.toml");
        let dependencies: Vec<_> = graph.members[0].dependencies.iter().map(|it| (it.name.as_str(), it.dev)).collect();
        assert_eq!(dependencies, [("two", false), ("three", true)]);
        assert_eq!(graph.members[0].features["default"], ["x"]);
        let packages: Vec<_> = graph.packages.iter().map(|(name, version)| (name.as_str(), version.as_str())).collect();
        assert_eq!(packages, [("one", "0.1.0"), ("two", "2.0.0")]);
    }

    #[test]
    fn another_shape_is_an_error() {
        let error = Graph::parse(&json!({"workspace_root": 1})).unwrap_err();
        assert_eq!(error.to_string(), "cargo metadata has 1 where a string is expected");
    }
}
