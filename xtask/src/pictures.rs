//! The pictures of the README and the guide, made anew from the real programs. It judges no picture.

use xshell::cmd;

use crate::workspace::Workspace;
use crate::{Outcome, interop, npm, report};

/// Builds the programs and lets a script take their pictures, in Chromium.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let shell = &workspace.shell;
    let packages = workspace.target()?.join("interop/npm");
    npm::ready(shell, &packages, &shell.read_file("tests/peers/package.json")?)?;
    let acore = interop::build(workspace, ["--bin", "acore"])?;
    let chat = interop::build(workspace, ["--example", "browser_chat"])?;
    let trace = interop::build(workspace, ["--example", "observability"])?;
    shell.create_dir(DIRECTORY)?;
    cmd!(shell, "node tests/peers/pictures.mjs {DIRECTORY} {acore} {chat} {trace} {CHAPTER}")
        .env("PEERS_NPM", packages)
        .quiet()
        .run()?;
    report::line(format_args!("look at {DIRECTORY}, and at {CHAPTER}"));
    Ok(())
}

const DIRECTORY: &str = "docs/pictures";
const CHAPTER: &str = "crates/agentcore-client/src/guide/observability.md";
