//! The pictures of the README, made anew from the real programs. It judges no picture.

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
    shell.create_dir(DIRECTORY)?;
    cmd!(shell, "node tests/peers/pictures.mjs {DIRECTORY} {acore} {chat}").env("PEERS_NPM", packages).quiet().run()?;
    report::line(format_args!("look at {DIRECTORY}"));
    Ok(())
}

const DIRECTORY: &str = "docs/pictures";
