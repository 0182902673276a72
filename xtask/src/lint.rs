//! Clippy over every selection of features that a user may build with.

use xshell::cmd;

use crate::Outcome;
use crate::graph::Graph;
use crate::report;
use crate::workspace::Workspace;

/// Runs clippy on each selection; a warning is an error.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let shell = &workspace.shell;
    let names = |manifest: &str, feature: &str| {
        let (folder, wanted) = (manifest.trim_end_matches("Cargo.toml"), format!("feature = \"{feature}\""));
        cmd!(shell, "git grep --quiet --fixed-strings {wanted} -- {folder}").quiet().run().is_ok()
    };
    for selection in selections(&workspace.graph()?, names) {
        report::line(format_args!("clippy {}", selection.join(" ")));
        cmd!(shell, "cargo clippy --quiet --locked {selection...} -- --deny warnings").quiet().run()?;
    }
    Ok(())
}

/// The whole workspace with everything on, then each crate that has features: with none, as it comes, and with each alone. Left out is
/// what would be the same again: a feature that turns on all others, none where that is how the crate comes, and a feature that only
/// turns on one of another crate of the workspace, where it is selected by itself, and is not named in this one's code. The program's
/// features are those of the crates that it is made of, and are selected all or none of them or as it comes: it takes long to compile, and
/// nobody builds on it.
///
/// A crate is selected on its own because cargo gives all crates of one command the sum of their features, and
/// without its tests where a feature stands alone because their dependencies would lend it theirs.
fn selections(graph: &Graph, names: impl Fn(&str, &str) -> bool) -> Vec<Vec<String>> {
    let mut selections = vec![words("--workspace --all-targets --all-features")];
    for member in graph.members.iter().filter(|it| !it.features.is_empty()) {
        let package = format!("--package {}", member.name);
        let default = member.features.get("default");
        if default.is_none_or(|it| !it.is_empty()) {
            selections.push(words(&format!("{package} --no-default-features")));
        }
        if default.is_some() {
            selections.push(words(&format!("{package} --all-targets")));
        }
        if member.name == PROGRAM {
            continue;
        }
        let others = |feature: &str| -> Vec<&String> {
            member.features.keys().filter(|it| *it != "default" && *it != feature).collect()
        };
        for (feature, turned_on) in member.features.iter().filter(|(it, _)| *it != "default") {
            let others = others(feature);
            if others.len() > 1 && others.iter().all(|it| turned_on.contains(it)) {
                continue;
            }
            let is_members = |it: &str| graph.members.iter().any(|member| member.name == it);
            let is_passed_on = turned_on.iter().all(|it| it.split_once('/').is_some_and(|(it, _)| is_members(it)));
            if is_passed_on && !turned_on.is_empty() && !names(&member.manifest, feature) {
                continue;
            }
            selections.push(words(&format!("{package} --no-default-features --features {feature}")));
        }
    }
    selections
}

/// The package of the program.
const PROGRAM: &str = "agentcore-cli";

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::graph::Member;

    #[test]
    fn every_feature_is_selected_alone() {
        let with = |name: &str, features: &[(&str, &[&str])]| {
            let owned = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
            Member {
                name: name.to_owned(),
                manifest: String::new(),
                dependencies: Vec::new(),
                features: features.iter().map(|(it, on)| ((*it).to_owned(), owned(on))).collect::<BTreeMap<_, _>>(),
            }
        };
        let member =
            |name: &str, features: &[&str]| with(name, &features.iter().map(|it| (*it, &[][..])).collect::<Vec<_>>());
        let graph = Graph {
            members: vec![
                member("plain", &[]),
                with("rich", &[("default", &["w"]), ("full", &["w", "y"]), ("w", &[]), ("y", &[])]),
                with("slim", &[("default", &[]), ("v", &[])]),
                with("front", &[("named", &["slim/v"]), ("passed_on", &["slim/v"]), ("stranger", &["other/v"])]),
                member("bare", &["z"]),
                with(PROGRAM, &[("default", &["u"]), ("t", &[]), ("u", &[])]),
            ],
            packages: BTreeSet::new(),
        };
        let lines: Vec<_> = selections(&graph, |_, feature| feature == "named").iter().map(|it| it.join(" ")).collect();
        let expected = [
            "--workspace --all-targets --all-features",
            "--package rich --no-default-features",
            "--package rich --all-targets",
            "--package rich --no-default-features --features w",
            "--package rich --no-default-features --features y",
            "--package slim --all-targets",
            "--package slim --no-default-features --features v",
            "--package front --no-default-features",
            "--package front --no-default-features --features named",
            "--package front --no-default-features --features stranger",
            "--package bare --no-default-features",
            "--package bare --no-default-features --features z",
            "--package agentcore-cli --no-default-features",
            "--package agentcore-cli --all-targets",
        ];
        assert_eq!(lines, expected);
    }
}
