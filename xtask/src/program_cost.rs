//! What it costs to depend on a crate: packages, CPU seconds of a cold release build, and the size of a program that calls it.

use std::fmt::Write as _;

use xshell::cmd;

use crate::workspace::Workspace;
use crate::{Outcome, build_cost, report};

/// A program that depends on one crate: its source, and what it needs besides.
struct Program {
    name: &'static str,
    source: &'static str,
    dependencies: &'static str,
    /// The versions that are built.
    lock: &'static str,
}

const fn ours(name: &'static str, source: &'static str, dependencies: &'static str) -> Program {
    Program { name, source, dependencies, lock: "Cargo.lock" }
}

const TOKIO: &str = "tokio = { version = \"1\", features = [\"macros\", \"rt\"] }\n";

const PROGRAMS: &[Program] = &[
    ours("agentcore-core", "benches/programs/core.rs", ""),
    ours("agentcore-auth", "tests/alone/auth/main.rs", "bytes = \"1\"\nhttp = \"1\"\n"),
    ours("agentcore-transport", "benches/programs/transport.rs", TOKIO),
    ours("agentcore-http", "tests/alone/http/main.rs", TOKIO),
    ours("agentcore-ws", "tests/alone/ws/main.rs", ""),
    ours("agentcore-client", "benches/programs/client.rs", TOKIO),
    ours("agentcore-mock", "benches/programs/mock.rs", TOKIO),
    Program {
        name: "aws-sdk-bedrockagentcore",
        source: "benches/programs/aws_sdk.rs",
        dependencies: TOKIO,
        lock: "benches/peers/Cargo.lock",
    },
];

/// Builds the programs of the crates whose names have this in it, each from nothing, and prints the table.
pub(crate) fn measure(workspace: &Workspace, part: &str) -> Outcome {
    let shell = &workspace.shell;
    let directory = workspace.target()?.join("program-cost");
    let root = shell.current_dir();
    report::line("| crate | packages | CPU seconds | program |\n|---|---|---|---|");
    for program in PROGRAMS.iter().filter(|program| program.name.contains(part)) {
        shell.remove_path(&directory)?;
        shell.write_file(directory.join("src/main.rs"), shell.read_file(program.source)?)?;
        shell.write_file(directory.join("Cargo.lock"), shell.read_file(program.lock)?)?;
        shell.write_file(directory.join("Cargo.toml"), manifest(program, &root.display().to_string()))?;
        let _in_it = shell.push_dir(&directory);
        let tree = cmd!(shell, "cargo tree --edges normal,build --prefix none --format '{p} {f}'").quiet().read()?;
        // The shell tells the CPU time of its children; cargo does not.
        let times = cmd!(shell, "sh -c '\"$@\" && times' sh cargo build --release --target-dir target").read()?;
        let seconds = build_cost::children(&times).ok_or("the shell did not tell what its children took")?;
        let bytes = std::fs::metadata(directory.join("target/release/program"))?.len();
        // The program itself is no package that it depends on.
        let packages = build_cost::distinct(&tree) - 1;
        report::line(format!("| {} | {packages} | {seconds:.0} | {:.1} MB |", program.name, bytes as f64 / 1e6));
    }
    shell.remove_path(&directory)?;
    Ok(())
}

/// A package of its own, outside of the workspace.
fn manifest(program: &Program, root: &str) -> String {
    let mut manifest =
        "[workspace]\n\n[package]\nname = \"program\"\nedition = \"2024\"\n\n[dependencies]\n".to_owned();
    let name = program.name;
    // Writing to a `String` cannot fail.
    let _ = if name.starts_with("agentcore") {
        writeln!(manifest, "{name} = {{ path = \"{root}/crates/{name}\" }}")
    } else {
        writeln!(manifest, "{name} = \"1\"")
    };
    manifest + program.dependencies + "\n[profile.release]\nstrip = true\n"
}
