//! Makes what is given to users of the program: `acore` without symbols, its completions and its manual pages. Publishes nothing.

use xshell::cmd;

use crate::Outcome;
use crate::report;
use crate::workspace::Workspace;

/// Builds the program and lets it write the rest, into `target/dist`.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let shell = &workspace.shell;
    cmd!(shell, "cargo build --release --locked --package agentcore-cli --config profile.release.strip=true").run()?;
    let target = workspace.target()?;
    let dist = target.join("dist");
    shell.remove_path(&dist)?;
    shell.create_dir(&dist)?;
    let program = dist.join(format!("acore{}", std::env::consts::EXE_SUFFIX));
    shell.copy_file(target.join("release").join(format!("acore{}", std::env::consts::EXE_SUFFIX)), &program)?;
    for (name, file) in COMPLETIONS {
        let script = cmd!(shell, "{program} completions {name}").quiet().read()?;
        shell.write_file(dist.join("completions").join(file), script + "\n")?;
    }
    let pages = dist.join("man").join("man1");
    cmd!(shell, "{program} man --dir {pages}").quiet().run()?;
    report::line(format_args!("{} has acore, completions and man", dist.display()));
    Ok(())
}

/// Each shell, and the name under which it looks for completions.
const COMPLETIONS: &[(&str, &str)] = &[
    ("bash", "acore"),
    ("elvish", "acore.elv"),
    ("fish", "acore.fish"),
    ("powershell", "_acore.ps1"),
    ("zsh", "_acore"),
];
