//! `acore` against other people's software: the official Python SDK's agent, joserfc, a certified OpenID provider,
//! moto and cognito-srp in the place of Cognito, botocore, Chromium, Redis, and agents of AG-UI, A2A, MCP, Strands and LangGraph.
//!
//! Every expectation is written by hand or comes from the other side; nothing here is computed by the code under test.

mod browser;
mod case;
mod cognito;
mod credentials;
mod dialect;
mod fleet;
mod front;
mod local;
mod machine;
mod peer;
mod program;
mod protocol;
mod rust_tests;
mod session;
mod signature;
mod socket;
pub(crate) mod streams;
mod tap;

use std::path::{Path, PathBuf};
use std::process::Command;

use xshell::cmd;

use crate::venv::Venv;
use crate::workspace::Workspace;
use crate::{Outcome, npm, report};
use case::Tally;
use peer::Peer;

/// Sets everything up, runs every case and fails if one does.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let bench = Bench::new(workspace)?;
    let mut tally = Tally::default();
    local::run(&bench, &mut tally)?;
    dialect::run(&bench, workspace, &mut tally)?;
    protocol::run(&bench, workspace, &mut tally)?;
    front::run(&bench, &mut tally)?;
    socket::run(&bench, &mut tally)?;
    machine::run(&bench, &mut tally)?;
    machine::renewals(&bench, workspace, &mut tally)?;
    cognito::run(&bench, workspace, &mut tally)?;
    signature::run(&bench, &mut tally)?;
    session::run(&bench, workspace, &mut tally)?;
    browser::run(&bench, workspace, &mut tally)?;
    fleet::run(workspace, &mut tally)?;
    tally.verdict()
}

/// What every case needs: the program under test, the peers' Python and a place for their logs.
#[derive(Clone, Debug)]
struct Bench {
    acore: PathBuf,
    python: PathBuf,
    peers: PathBuf,
    node_packages: PathBuf,
    logs: PathBuf,
}

impl Bench {
    fn new(workspace: &Workspace) -> Outcome<Self> {
        let shell = &workspace.shell;
        let path = std::env::var_os("PATH").unwrap_or_default();
        browser::check(&path)?;
        fleet::check(&path)?;
        let peers = workspace.root.join("tests/peers");
        let place = workspace.target()?.join("interop");
        let requirements = shell.read_file(peers.join("requirements.txt"))?;
        let venv = Venv::ready(shell, &place.join("venv"), &requirements)?;
        let node_packages = place.join("npm");
        npm::ready(shell, &node_packages, &shell.read_file(peers.join("package.json"))?)?;
        let logs = place.join("logs");
        shell.create_dir(&logs)?;
        Ok(Self {
            acore: build(workspace, ["--bin", "acore"])?,
            python: venv.program("python"),
            peers,
            node_packages,
            logs,
        })
    }

    /// The same bench with another program under test.
    fn with_program(&self, program: PathBuf) -> Self {
        Self { acore: program, ..self.clone() }
    }

    /// A command that runs the program under test, with nothing of this machine's environment.
    fn acore(&self, args: &[String]) -> Command {
        let mut command = Command::new(&self.acore);
        command.env_clear().args(args);
        command
    }

    /// A command that runs one of the peers' scripts, with nothing of this machine's environment.
    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.env_clear().env("PYTHONDONTWRITEBYTECODE", "1").arg(self.peers.join(name));
        command
    }

    /// Starts a server and waits until it says where it listens.
    fn serve(&self, name: &str, command: &Command) -> Outcome<Peer> {
        let mut tethered = self.script("tether.py");
        tethered.arg(command.get_program()).args(command.get_args());
        tethered.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Peer::start(name, tethered, &self.logs.join(Path::new(name).with_extension("log")))
    }
}

/// Builds one program and returns where cargo put it.
///
/// It is built with the whole workspace's features and with the examples, whose dependencies' features are those of the tests, so that
/// nothing is compiled a second time.
pub(crate) fn build(workspace: &Workspace, [kind, name]: [&str; 2]) -> Outcome<PathBuf> {
    let shell = &workspace.shell;
    report::line(format_args!("building {name}"));
    let messages = cmd!(
        shell,
        "cargo build --workspace --all-features --examples {kind} {name} --message-format json-render-diagnostics"
    )
    .quiet()
    .read()?;
    let executable = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == *name)
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back();
    Ok(executable.ok_or("cargo built no executable of these")?)
}
