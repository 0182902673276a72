//! What a cold build costs, kept in `docs/build.md`: packages, which anybody can count, and seconds of CPU time, which one machine measured.
//!
//! It makes nothing cheaper: it notices what grows.

use std::collections::BTreeSet;

use serde_json::Value;
use xshell::cmd;

use crate::workspace::Workspace;
use crate::{Outcome, report};

/// A build that somebody meets, and how cargo is told of it.
struct Build {
    name: &'static str,
    selection: &'static [&'static str],
    edges: &'static str,
}

const BUILDS: [Build; 4] = [
    Build {
        name: "the README's first command: `acore` without Cognito and the AWS chain",
        selection: &["--package", "agentcore-cli", "--no-default-features"],
        edges: "normal,build",
    },
    Build { name: "`acore` as it comes", selection: &["--package", "agentcore-cli"], edges: "normal,build" },
    Build { name: "the library as it comes", selection: &["--package", "agentcore-client"], edges: "normal,build" },
    Build {
        name: "everything, with the tests",
        selection: &["--workspace", "--all-features"],
        edges: "normal,build,dev",
    },
];

/// Fails where a build has more packages than `docs/build.md` says.
pub(crate) fn check(workspace: &Workspace) -> Outcome {
    let kept = workspace.shell.read_file(PAGE)?;
    let mut faults = Vec::new();
    for build in &BUILDS {
        let (packages, row) = (packages(workspace, build)?, row_of(&kept, build.name));
        match row {
            Some(known) if packages <= known => {}
            Some(known) => faults.push(format!("{}: {packages} packages, {known} are known", build.name)),
            None => faults.push(format!("{}: {PAGE} has no row for it", build.name)),
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(format!("{GROWN}\n{}", faults.join("\n")).into()) }
}

/// Builds the first command from nothing, prints what it took, and keeps it where it is told to.
pub(crate) fn measure(workspace: &Workspace, write: bool) -> Outcome {
    let shell = &workspace.shell;
    let directory = workspace.target()?.join("build-cost");
    shell.remove_path(&directory)?;
    let selection = BUILDS[0].selection;
    // The shell tells the CPU time of its children; cargo does not. One job, so that a unit's time is its own.
    let times = cmd!(shell, "sh -c '\"$@\" && times' sh cargo build --locked --timings --jobs 1 {selection...}")
        .env("CARGO_TARGET_DIR", &directory)
        .env("CARGO_INCREMENTAL", "0")
        .read();
    let page = shell.read_file(directory.join("cargo-timings/cargo-timing.html"));
    shell.remove_path(&directory)?;
    let seconds = children(&times?).ok_or("the shell did not tell what its children took")?;
    let units = units(&page?)?;
    let rows = BUILDS
        .iter()
        .map(|build| Ok(format!("| {} | {} |\n", build.name, packages(workspace, build)?)))
        .collect::<Outcome<String>>()?;
    let text = text(&rows, seconds, &units);
    report::line(&text);
    if write {
        shell.write_file(PAGE, text)?;
    }
    Ok(())
}

/// The number of packages of a build, each set of features of its own.
fn packages(workspace: &Workspace, build: &Build) -> Outcome<usize> {
    let shell = &workspace.shell;
    let (selection, edges) = (build.selection, build.edges);
    let format = "{p} {f}";
    let tree =
        cmd!(shell, "cargo tree {selection...} --edges {edges} --prefix none --format {format} --locked").quiet();
    Ok(distinct(&tree.read()?))
}

/// The number of packages in what `cargo tree` prints, each set of features of its own.
pub(crate) fn distinct(tree: &str) -> usize {
    let lines = tree.lines().map(|line| line.trim_end().trim_end_matches(" (*)").trim_end());
    lines.filter(|line| !line.is_empty()).collect::<BTreeSet<_>>().len()
}

/// The number in the row of a build.
fn row_of(page: &str, name: &str) -> Option<usize> {
    page.lines().find_map(|line| {
        line.strip_prefix("| ")?.strip_prefix(name)?.strip_prefix(" | ")?.strip_suffix(" |")?.parse().ok()
    })
}

/// The CPU seconds in the last line of what `times` prints: `1m2.5s 0m3.25s`.
pub(crate) fn children(times: &str) -> Option<f64> {
    let seconds = |text: &str| -> Option<f64> {
        let (minutes, seconds) = text.strip_suffix('s')?.split_once('m')?;
        Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
    };
    times.trim_end().lines().next_back()?.split(' ').map(seconds).sum()
}

/// Name and seconds of each unit in the page that cargo wrote, the dearest first.
fn units(page: &str) -> Outcome<Vec<(String, f64)>> {
    let data = page.split_once("const UNIT_DATA = ").ok_or("cargo's page of timings has no units")?.1;
    let data = serde_json::Deserializer::from_str(data).into_iter::<Value>().next().ok_or("no units")??;
    let text = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
    let mut units: Vec<_> = data
        .as_array()
        .ok_or("cargo's units are no list")?
        .iter()
        .map(|unit| {
            let name = format!("{} {} {}", text(&unit["name"]), text(&unit["version"]), text(&unit["target"]));
            (name.trim_end().to_owned(), unit["duration"].as_f64().unwrap_or_default())
        })
        .collect();
    units.sort_by(|one, other| other.1.total_cmp(&one.1));
    Ok(units)
}

fn text(rows: &str, seconds: f64, units: &[(String, f64)]) -> String {
    let dearest: String =
        units.iter().take(10).map(|(name, seconds)| format!("| `{name}` | {seconds:.1} |\n")).collect();
    format!(
        "# What a build costs\n\n\
         `cargo xtask bench --build --write` writes this page, in some minutes. CI fails where a build has more packages than this table says:\n\
         whoever adds one changes the row, and says why in the commit.\n\n\
         | build | packages |\n|---|---|\n{rows}\n\
         A package counts once for each set of features with which it is built.\n\n\
         ## The README's first command, from nothing\n\n\
         {} units, {seconds:.0} seconds of CPU time, one job at a time. The ten dearest, by the clock, which on a busy machine is\n\
         more than their CPU time:\n\n\
         | unit | seconds |\n|---|---|\n{dearest}",
        units.len(),
    )
}

const PAGE: &str = "docs/build.md";
const GROWN: &str = "a build has grown: take out what it does not need, or change its row in docs/build.md and say why";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_package_counts_by_its_features() {
        assert_eq!(distinct("a v1 x,y\nb v1 \nb v1  (*)\n\na v1 x\na v1 x (*)\n"), 3);
        assert_eq!(distinct(""), 0);
    }

    #[test]
    fn times_are_added() {
        assert_eq!(children("0m0.00s 0m0.00s\n2m35.50s 0m22.25s\n"), Some(177.75));
        assert_eq!(children("0m0.000000s 0m0.000000s\n1m0.500000s 0m0.250000s"), Some(60.75));
        for said in ["", "x", "1.5 2.5"] {
            assert_eq!(children(said), None, "{said}");
        }
    }

    #[test]
    fn a_page_of_timings_becomes_a_table() {
        let page = "x\nconst UNIT_DATA = [{\"name\": \"a\", \"version\": \"1.0.0\", \"target\": \"\", \"duration\": 1.5},\n\
                    {\"name\": \"b\", \"version\": \"2.0.0\", \"target\": \" build-script\", \"duration\": 2.25}];\nconst Y = 1;\n";
        let units = units(page).unwrap();
        assert_eq!(units, [("b 2.0.0 build-script".to_owned(), 2.25), ("a 1.0.0".to_owned(), 1.5)]);
        let text = text("| one | 12 |\n", 3.6, &units);
        assert!(text.contains("2 units, 4 seconds of CPU time"), "{text}");
        assert!(text.ends_with("| `b 2.0.0 build-script` | 2.2 |\n| `a 1.0.0` | 1.5 |\n"), "{text}");
        assert_eq!((row_of(&text, "one"), row_of(&text, "on"), row_of(&text, "two")), (Some(12), None, None));
        assert!(super::units("nothing").is_err());
    }
}
