//! The packages of the published crates, as `cargo package` makes them: without a warning. It publishes nothing.

use xshell::cmd;

use crate::workspace::Workspace;
use crate::{Outcome, report};

/// Packages every published crate, and builds each from its package where that is asked for, which takes minutes.
pub(crate) fn run(workspace: &Workspace, verify: bool) -> Outcome {
    let shell = &workspace.shell;
    let graph = workspace.graph()?;
    let published = graph.members.iter().filter(|it| it.manifest.starts_with("crates/"));
    let packages = published.flat_map(|it| ["--package", &it.name]);
    let verify = (!verify).then_some("--no-verify");
    let output = cmd!(shell, "cargo package {packages...} {verify...} --allow-dirty --locked --color never")
        .quiet()
        .ignore_status()
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() || said.lines().any(|line| line.starts_with("warning")) {
        return Err(format!("cargo package said:\n{said}").into());
    }
    report::line(format_args!(
        "{} packages",
        said.lines().filter(|it| it.trim_start().starts_with("Packaged ")).count()
    ));
    Ok(())
}
