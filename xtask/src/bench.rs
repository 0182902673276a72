//! The package `benches`, built in release and run: ratios of CPU time, or of instructions under valgrind. Judges no number.

use std::env;

use xshell::{Shell, cmd};

use crate::Outcome;
use crate::workspace::Workspace;

/// Builds and runs it; its tables go to standard output.
pub(crate) fn run(workspace: &Workspace, peers: bool, flags: &[(bool, &str)]) -> Outcome {
    let shell = &workspace.shell;
    let flags: Vec<&str> = flags.iter().filter(|(given, _)| *given).map(|(_, flag)| *flag).collect();
    if flags.contains(&"--instructions") {
        valgrind(shell)?;
    }
    // Their package is a workspace of its own, which shares what is compiled.
    let which: &[&str] = if peers {
        &["--manifest-path", "benches/peers/Cargo.toml", "--target-dir", "target"]
    } else {
        &["--package", "agentcore-benches"]
    };
    Ok(cmd!(shell, "cargo run --release --locked {which...} -- {flags...}").run()?)
}

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
