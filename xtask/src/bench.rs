//! The package `benches`, built in release and run: ratios of CPU time, or of instructions under valgrind. Judges no time.

use std::{collections::BTreeMap, env};

use xshell::{Shell, cmd};

use crate::workspace::Workspace;
use crate::{Outcome, report};

/// Builds and runs it with these flags; its tables go to standard output.
pub(crate) fn run(workspace: &Workspace, peers: bool, flags: &[&str]) -> Outcome {
    let shell = &workspace.shell;
    if flags.contains(&"--instructions") {
        valgrind(shell)?;
    }
    // Their package is a workspace of its own, which shares what is compiled. Its lock follows this workspace's dependencies.
    let which: &[&str] = if peers {
        &["--manifest-path", "benches/peers/Cargo.toml", "--target-dir", "target"]
    } else {
        &["--locked", "--package", "agentcore-benches"]
    };
    Ok(cmd!(shell, "cargo run --release {which...} -- {flags...}").run()?)
}

/// Counts instructions of inputs that grow, and fails where twice the input costs more than 2.2 times as much.
pub(crate) fn growth(workspace: &Workspace) -> Outcome {
    let shell = &workspace.shell;
    valgrind(shell)?;
    cmd!(shell, "cargo build --release --locked --package agentcore-cli").run()?;
    let acore = workspace.target()?.join("release/acore");
    Ok(cmd!(shell, "cargo run --release --locked --package agentcore-benches -- --growth {acore}").run()?)
}

/// Counts allocations; the table goes to standard output.
pub(crate) fn allocations(workspace: &Workspace) -> Outcome {
    let shell = &workspace.shell;
    Ok(cmd!(shell, "cargo run --release --locked --package agentcore-benches --bin allocations").run()?)
}

/// Counts instructions and allocations, and fails where ours have grown over the committed tables, or are not in them. How costs grow
/// with the input is checked by hand: it takes minutes.
pub(crate) fn check(workspace: &Workspace) -> Outcome {
    let shell = &workspace.shell;
    valgrind(shell)?;
    let mut all_grown = Vec::new();
    for &(table, arguments) in TABLES {
        let committed = shell.read_file(table)?;
        let counted = cmd!(shell, "cargo run --release --locked --package agentcore-benches {arguments...}").read()?;
        report::line(&counted);
        let grown = grown(&numbers(&committed), &numbers(&counted));
        all_grown.extend(grown.into_iter().map(|it| format!("{table}: {it}")));
    }
    if all_grown.is_empty() { Ok(()) } else { Err(format!("{}\n{REMEDY}", all_grown.join("\n")).into()) }
}

/// The numbers of our crates, by row and column.
fn numbers(document: &str) -> BTreeMap<(String, String), f64> {
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let mut rows = document.lines().filter(|line| line.starts_with('|')).map(cells);
    let heading = rows.next().unwrap_or_default();
    let mut numbers = BTreeMap::new();
    for row in rows {
        for (column, cell) in heading.iter().zip(&row).filter(|(column, _)| column.starts_with("agentcore")) {
            if let Some(number) = cell.split(' ').next().and_then(|number| number.parse().ok()) {
                numbers.insert((row[0].clone(), column.clone()), number);
            }
        }
    }
    numbers
}

/// What has grown by more than 3 %, a sentence each.
fn grown(committed: &BTreeMap<(String, String), f64>, counted: &BTreeMap<(String, String), f64>) -> Vec<String> {
    let judge = |((row, column), now): (&(String, String), &f64)| match committed.get(&(row.clone(), column.clone())) {
        None => Some(format!("{row}, {column}: {now} is not there")),
        // Both were rounded to a hundredth.
        Some(before) => (*now > before * 1.03 + 0.005).then(|| format!("{row}, {column}: {now} was {before}")),
    };
    counted.iter().filter_map(judge).collect()
}

/// The committed tables, and how each is made.
const TABLES: &[(&str, &[&str])] =
    &[("benches/instructions.md", &["--", "--instructions"]), ("benches/allocations.md", &["--bin", "allocations"])];

const REMEDY: &str = "\
more than the committed table has: find out what takes it, or commit what it is worth by
`cargo xtask bench --instructions > benches/instructions.md` and `cargo xtask bench --allocations > benches/allocations.md`";

/// Makes sure that valgrind is there: installed by its user, or here on a machine of CI, which sets `CI`.
fn valgrind(shell: &Shell) -> Outcome {
    let runs = || cmd!(shell, "valgrind --version").quiet().ignore_stdout().ignore_stderr().run().is_ok();
    if !runs() && env::var_os("CI").is_some() {
        cmd!(shell, "apt-get update").ignore_stdout().run()?;
        cmd!(shell, "apt-get install -y --no-install-recommends valgrind").ignore_stdout().run()?;
    }
    if runs() { Ok(()) } else { Err(NO_VALGRIND.into()) }
}

const NO_VALGRIND: &str = "valgrind cannot be run: install it (Debian: valgrind)";

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "\
# A table

| work | floor | by hand | agentcore-http | agentcore-client |
|---|---|---|---|---|
| a call | 100 per call | 1.50 (150) | 2.00 (200) | – |
| an event | 10 per event | – | 1.00 (10) | 4.00 (40) |
";

    #[test]
    fn what_has_grown_is_told() {
        let cases: [(&str, &str, &[&str]); 6] = [
            ("", "", &[]),
            ("2.00 (200)", "2.06 (206)", &[]),
            ("2.00 (200)", "2.07 (207)", &["a call, agentcore-http: 2.07 was 2"]),
            ("4.00 (40)", "1.00 (10)", &[]),
            ("1.50 (150)", "9.00 (900)", &[]),
            ("| – |\n", "| 3.00 (300) |\n", &["a call, agentcore-client: 3 is not there"]),
        ];
        for (from, to, expected) in cases {
            assert_eq!(grown(&numbers(BEFORE), &numbers(&BEFORE.replacen(from, to, 1))), expected, "{from} {to}");
        }
    }
}
