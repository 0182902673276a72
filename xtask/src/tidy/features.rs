//! The feature table of `README.md` against the features that the facade really has.

use std::collections::BTreeMap;

use super::Violation;
use super::tree::Tree;
use crate::graph::Graph;

/// Checks that both name the same features and agree on which are on by default.
pub(super) fn check(graph: &Graph, tree: &Tree) -> Vec<Violation> {
    let Some(facade) = graph.members.iter().find(|it| it.name == "agentcore-client") else { return Vec::new() };
    let Some(table) = Table::find(tree.text(README).unwrap_or_default()) else {
        return vec![Violation::new(
            README,
            1,
            "there is no feature table: add one that begins `| feature | default |`",
        )];
    };
    let on = facade.features.get("default").cloned().unwrap_or_default();
    let mut violations = Vec::new();
    for name in facade.features.keys().filter(|it| *it != "default") {
        let Some(row) = table.rows.get(name.as_str()) else {
            let message = format!("the feature table lacks `{name}`: say what it adds");
            violations.push(Violation::new(README, table.line, message));
            continue;
        };
        if row.on != on.contains(name) {
            let (said, is) = if row.on { ("on", "off") } else { ("off", "on") };
            let message = format!("the feature table has `{name}` {said} by default, and it is {is}");
            violations.push(Violation::new(README, row.line, message));
        }
    }
    for (name, row) in table.rows.iter().filter(|(name, _)| !facade.features.contains_key(**name)) {
        let message = format!("the feature table has `{name}`, which {} does not have: remove it", facade.manifest);
        violations.push(Violation::new(README, row.line, message));
    }
    violations
}

/// The table, its rows by feature: one row may name several.
struct Table<'a> {
    line: usize,
    rows: BTreeMap<&'a str, Row>,
}

struct Row {
    line: usize,
    on: bool,
}

impl<'a> Table<'a> {
    fn find(readme: &'a str) -> Option<Self> {
        let mut lines = readme.lines().enumerate().skip_while(|(_, line)| !line.starts_with("| feature"));
        let (heading, _) = lines.next()?;
        let mut rows = BTreeMap::new();
        for (index, line) in lines.take_while(|(_, line)| line.starts_with('|')) {
            let mut cells = line.split('|').skip(1);
            let (names, default) = (cells.next()?, cells.next()?);
            for name in names.split('`').skip(1).step_by(2) {
                rows.insert(name, Row { line: index + 1, on: default.trim() == "on" });
            }
        }
        Some(Self { line: heading + 1, rows })
    }
}

const README: &str = "README.md";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Member;

    fn said(readme: &str) -> Vec<String> {
        let feature = |name: &str, turns_on: &[&str]| {
            (name.to_owned(), turns_on.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())
        };
        let features =
            [feature("default", &["http", "ws"]), feature("http", &[]), feature("ws", &[]), feature("oauth", &[])];
        let facade = Member {
            name: "agentcore-client".to_owned(),
            manifest: "crates/agentcore-client/Cargo.toml".to_owned(),
            dependencies: Vec::new(),
            features: features.into(),
        };
        let graph = Graph { members: vec![facade], packages: [].into() };
        check(&graph, &Tree::of(&[(README, readme)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_honest_table_passes() {
        let table = "# Title\n\n| feature | default | adds |\n|---|---|---|\n| `http`, `ws` | on | both |\n| `oauth` | off | `x` |\n\nend `full`\n";
        assert_eq!(said(table), Vec::<String>::new());
    }

    #[test]
    fn each_difference_is_a_violation() {
        let table = "# Title\n\n| feature | default | adds |\n|---|---|---|\n| `http` | off | it |\n| `oauth`, `full` | off | it |\n";
        let expected = [
            "README.md:5: the feature table has `http` off by default, and it is on",
            "README.md:3: the feature table lacks `ws`: say what it adds",
            "README.md:6: the feature table has `full`, which crates/agentcore-client/Cargo.toml does not have: remove it",
        ];
        assert_eq!(said(table), expected);
        assert_eq!(
            said("# Title\n"),
            ["README.md:1: there is no feature table: add one that begins `| feature | default |`"]
        );
    }
}
