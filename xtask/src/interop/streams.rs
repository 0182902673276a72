//! The streams of the corpus made anew by the packages that made them, and what our reader says of those.
//!
//! The packages are heavy, and models are scripts in all of them; each has an environment of its own, and one that cannot be
//! installed is left out and named. What is expected stands in the corpus, and is not made here.

use std::path::Path;
use std::process::Command;

use xshell::cmd;

use crate::venv::Venv;
use crate::workspace::Workspace;
use crate::{Outcome, npm, report};

/// Where bodies stand, under the directory that is given to each script.
const BODY: &str = "body";

/// The scripts and the environments that they need: the name of a requirements file, or Node's packages.
const MAKERS: &[(&str, Packages)] = &[
    ("agentcore_sdk_streams.py", Packages::Python("agents")),
    ("strands_streams.py", Packages::Python("agents")),
    ("langgraph_streams.py", Packages::Python("agents")),
    ("model_api_streams.py", Packages::Python("agents")),
    ("pydantic_ai_streams.py", Packages::Python("pydantic-ai")),
    ("google_adk_streams.py", Packages::Python("google-adk")),
    ("autogen_streams.py", Packages::Python("autogen")),
    ("crewai_streams.py", Packages::Python("crewai")),
    ("llama_index_streams.py", Packages::Python("llama-index")),
    ("vercel_streams.mjs", Packages::Node),
];

#[derive(Clone, Copy, Debug)]
enum Packages {
    Python(&'static str),
    Node,
}

/// Makes the bytes anew with every package that installs, and fails if our reader says something else of them.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let shell = &workspace.shell;
    let place = workspace.target()?.join("interop/dialects");
    let (bodies, made) = (place.join("bodies"), place.join("streams"));
    shell.remove_path(&bodies)?;
    shell.remove_path(&made)?;
    shell.create_dir(&bodies)?;
    let mut left_out = Vec::new();
    for (script, packages) in MAKERS {
        report::heading(script);
        match installed(workspace, &place, script, *packages) {
            Ok(command) => make(command, &place, &bodies)?,
            Err(error) => {
                report::line(format_args!("left out: {error}"));
                left_out.push(*script);
            }
        }
    }
    let corpus = workspace.root.join("tests/streams");
    let count = compose(workspace, &corpus, &bodies, &made)?;
    report::heading(format_args!("{count} streams made anew"));
    if count == 0 {
        return Err("none of the packages could be installed".into());
    }
    cmd!(shell, "cargo test --package agentcore-tests streams::streams_say -- --nocapture")
        .env("AGENTCORE_STREAMS", &made)
        .run()?;
    if !left_out.is_empty() {
        report::line(format_args!("left out, and not compared: {}", left_out.join(", ")));
        return Ok(());
    }
    match unmade(workspace, &corpus, &made)?.as_slice() {
        [] => Ok(()),
        unmade => Err(format!("no script makes these anew: {}", unmade.join(", ")).into()),
    }
}

/// Installs what a script needs, and returns how it is run.
fn installed(workspace: &Workspace, place: &Path, script: &str, packages: Packages) -> Outcome<Command> {
    let shell = &workspace.shell;
    let scripts = workspace.root.join("tests/peers/streams");
    match packages {
        Packages::Python(name) => {
            let requirements = shell.read_file(scripts.join(format!("requirements-{name}.txt")))?;
            let venv = Venv::ready(shell, &place.join(format!("venv-{name}")), &requirements)?;
            let mut command = Command::new(venv.program("python"));
            command.arg(scripts.join(script));
            Ok(command)
        }
        Packages::Node => {
            let node = place.join("npm");
            npm::ready(shell, &node, &shell.read_file(scripts.join("package.json"))?)?;
            // Node looks for packages beside the script.
            shell.copy_file(scripts.join(script), node.join(script))?;
            let mut command = Command::new("node");
            command.arg(node.join(script));
            Ok(command)
        }
    }
}

/// Runs a script, with nothing of this machine's environment.
fn make(mut command: Command, place: &Path, bodies: &Path) -> Outcome {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("HOME", place).env("PYTHONDONTWRITEBYTECODE", "1").arg(bodies);
    // What a package has to say beside its streams is its own.
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines().filter(|line| line.ends_with(" bytes")).for_each(report::line);
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("the script failed: {}", said.lines().next_back().unwrap_or_default()).into())
}

/// Returns the streams of the corpus that packages made, and that were not made anew.
fn unmade(workspace: &Workspace, corpus: &Path, made: &Path) -> Outcome<Vec<String>> {
    let shell = &workspace.shell;
    let mut names = Vec::new();
    for group in shell.read_dir(corpus)?.iter().filter(|path| path.is_dir()) {
        for stream in shell.read_dir(group)? {
            let bytes = shell.read_binary_file(&stream)?;
            let by_hand = head(&bytes).is_some_and(|head| String::from_utf8_lossy(head).contains("\nmade: by hand"));
            let name = stream.strip_prefix(corpus)?;
            if !by_hand && !made.join(name).exists() {
                names.push(name.display().to_string());
            }
        }
    }
    Ok(names)
}

/// Puts the head of each stream of the corpus before its new bytes, and returns how many there are.
fn compose(workspace: &Workspace, corpus: &Path, bodies: &Path, made: &Path) -> Outcome<usize> {
    let shell = &workspace.shell;
    let mut count = 0;
    for group in shell.read_dir(bodies)? {
        for body in shell.read_dir(&group)?.iter().filter(|path| path.extension().is_some_and(|end| end == BODY)) {
            let name = body.strip_prefix(bodies)?.with_extension("stream");
            let known = shell.read_binary_file(corpus.join(&name));
            let known = known.map_err(|_| format!("the corpus has no {}", name.display()))?;
            let head = head(&known).ok_or_else(|| format!("{} has no line `bytes:`", name.display()))?;
            let stream = [head, &shell.read_binary_file(body)?].concat();
            let file = made.join(&name);
            shell.create_dir(file.parent().ok_or("a stream has a directory")?)?;
            shell.write_file(file, stream)?;
            count += 1;
        }
    }
    Ok(count)
}

/// A stream as far as its bytes.
fn head(stream: &[u8]) -> Option<&[u8]> {
    let mark = b"\nbytes:\n";
    let at = stream.windows(mark.len()).position(|window| window == mark)?;
    Some(&stream[..at + mark.len()])
}

#[cfg(test)]
mod tests {
    use super::head;

    #[test]
    fn a_head_ends_before_the_bytes() {
        assert_eq!(head(b"about: x\nbytes:\nbytes:\nx"), Some(&b"about: x\nbytes:\n"[..]));
        assert_eq!(head(b"about: bytes:\n"), None);
    }
}
