//! `cargo xtask`: every chore of the workspace in one program, and the only CI there is.
//!
//! It holds no logic of the libraries: it starts cargo, `acore` and the peers, and judges what they say.

mod alone;
mod api;
mod bench;
mod build_cost;
mod ci;
mod deny;
mod dist;
mod examples;
mod graph;
mod interop;
mod lint;
mod npm;
mod package;
mod pictures;
mod program_cost;
mod report;
mod test_run;
mod tidy;
mod venv;
mod workspace;

use std::error::Error;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xshell::cmd;

use crate::ci::Step;
use crate::workspace::Workspace;

/// What a task ends with: a failure is a sentence for the person who ran it.
type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match Args::parse().task.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::failure(&*error);
            ExitCode::FAILURE
        }
    }
}

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Builds, checks and exercises the workspace")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Runs every test: unit, integration, command line and documentation; ends with one line of counts
    Test {
        /// Passed to `cargo test`, such as a part of a test's name
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Runs everything that a change must pass, and stops at the first failure
    Ci {
        /// Goes on after a failure and names every failed step at the end
        #[arg(long)]
        keep_going: bool,
        /// Leaves a step out; may be given several times
        #[arg(long, value_name = "STEP", value_enum)]
        skip: Vec<Step>,
    },
    /// Checks the house rules that no compiler knows
    Tidy,
    /// Runs every example of the facade and compares what it prints with what its first lines promise
    Examples,
    /// Drives `acore` against other people's software: the official Python SDK, joserfc, boto3, Chromium, and
    /// the frameworks that agents are made with
    Interop {
        /// Makes the streams of the corpus anew, by the packages that made them, in the place of all this: heavy, and no part of `ci`
        #[arg(long)]
        dialects: bool,
    },
    /// Builds and runs programs that depend on one crate of the workspace, and checks what they do without
    Alone,
    /// Checks the dependencies against the database of advisories, which is fetched
    Advisories,
    /// Compares the public interface of the libraries with `docs/api`
    Api {
        /// Writes `docs/api` anew in the place of comparing
        #[arg(long)]
        write: bool,
    },
    /// Packages the published crates, without a warning
    Package {
        /// Builds each from its package, some minutes
        #[arg(long)]
        verify: bool,
    },
    /// Takes the README's pictures anew from the real programs, in Chromium
    Pictures,
    /// Compares our crates with the floor and with code by hand, in ratios; on an idle machine
    Bench {
        /// Measures less: says whether it runs and about how much
        #[arg(long, group = "mode")]
        quick: bool,
        /// Measures the rows whose title has this in it
        #[arg(long, group = "mode", value_name = "PART")]
        row: Option<String>,
        /// Counts instructions under valgrind in the place of time
        #[arg(long, group = "mode")]
        instructions: bool,
        /// Measures the memory of open streams in the place of time
        #[arg(long, group = "mode")]
        memory: bool,
        /// Measures what an open stream takes over each protocol, of 1 to 10,000, in the place of time
        #[arg(long, group = "mode")]
        streams: bool,
        /// Measures the time to the first event of a stream in the place of CPU time
        #[arg(long, group = "mode")]
        first_event: bool,
        /// Counts the instructions of inputs that grow, and fails where twice the input costs more than 2.2 times as much
        #[arg(long, group = "mode")]
        growth: bool,
        /// Counts allocations in the place of time
        #[arg(long, group = "mode")]
        allocations: bool,
        /// Counts instructions and allocations, and fails where ours have grown by more than 3 % over the committed tables
        #[arg(long, group = "mode")]
        check: bool,
        /// Builds the README's first command from nothing and prints what it took, in the place of all this
        #[arg(long, group = "mode")]
        build: bool,
        /// Builds a program of each published crate whose name has this in it, and of the AWS SDK, from nothing: packages, CPU
        /// seconds, bytes
        #[arg(long, group = "mode", value_name = "PART", num_args = 0..=1, default_missing_value = "")]
        programs: Option<String>,
        /// Writes `docs/build.md`
        #[arg(long, requires = "build")]
        write: bool,
        /// Adds reqwest and the AWS SDK for Rust, whose build takes minutes
        #[arg(long, conflicts_with_all = ["allocations", "check", "build", "growth", "programs", "streams"])]
        peers: bool,
    },
    /// Gives everything that parses inputs that nobody foresaw, each target for some time
    Fuzz {
        /// How long each target runs
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        seconds: u32,
        /// Only the targets whose name contains this
        #[arg(long, value_name = "PART")]
        target: Option<String>,
    },
    /// Runs `acore` against servers that send what no honest one would, and prints its peak of memory and its time
    Hostile {
        /// Only the attacks whose name contains this
        #[arg(long, value_name = "PART")]
        attack: Option<String>,
        /// The sizes that run with the tests
        #[arg(long)]
        quick: bool,
    },
    /// Runs thousands of streams and hundreds of sockets over a network that fails, with tokens that live for seconds, and prints what
    /// became of them
    Soak {
        /// How long it runs
        #[arg(long, value_name = "MINUTES", default_value_t = 10)]
        minutes: u32,
        /// Decides as a run that printed this
        #[arg(long, value_name = "SEED")]
        seed: Option<u64>,
    },
    /// Makes a stripped `acore` with its completions and manual pages in `target/dist`
    Dist,
    /// Runs `acore mock`
    Mock {
        /// Passed to `acore mock`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
}

impl Task {
    fn run(self) -> Outcome {
        let workspace = Workspace::open()?;
        let shell = &workspace.shell;
        match self {
            Self::Test { args } => test_run::run(&workspace, &args),
            Self::Ci { keep_going, skip } => ci::run(&workspace, &skip, keep_going),
            Self::Tidy => tidy::run(&workspace),
            Self::Examples => examples::run(&workspace),
            Self::Interop { dialects: true } => interop::streams::run(&workspace),
            Self::Interop { dialects: false } => interop::run(&workspace),
            Self::Bench { check: true, .. } => bench::check(&workspace),
            Self::Bench { growth: true, .. } => bench::growth(&workspace),
            Self::Bench { allocations: true, .. } => bench::allocations(&workspace),
            Self::Alone => alone::run(&workspace),
            Self::Advisories => deny::advisories(&workspace),
            Self::Api { write } => api::run(&workspace, write),
            Self::Package { verify } => package::run(&workspace, verify),
            Self::Pictures => pictures::run(&workspace),
            Self::Bench { build: true, write, .. } => build_cost::measure(&workspace, write),
            Self::Bench { programs: Some(part), .. } => program_cost::measure(&workspace, &part),
            Self::Bench { row: Some(row), peers, .. } => bench::run(&workspace, peers, &["--row", &row]),
            Self::Bench { quick, instructions, memory, streams, first_event, peers, .. } => {
                let flags = [
                    (quick, "--quick"),
                    (instructions, "--instructions"),
                    (memory, "--memory"),
                    (streams, "--streams"),
                    (first_event, "--first-event"),
                ];
                let flags: Vec<&str> = flags.iter().filter(|(given, _)| *given).map(|(_, flag)| *flag).collect();
                bench::run(&workspace, peers, &flags)
            }
            Self::Fuzz { seconds, target } => {
                Ok(cmd!(shell, "cargo test --workspace --all-features --test fuzz -- --nocapture")
                    .env("AGENTCORE_FUZZ_SECONDS", seconds.to_string())
                    .env("AGENTCORE_FUZZ_TARGET", target.unwrap_or_default())
                    .run()?)
            }
            Self::Hostile { attack, quick } => {
                Ok(cmd!(shell, "cargo test --package agentcore-cli --test hostile -- --nocapture")
                    .env("AGENTCORE_HOSTILE", if quick { "bounded" } else { "full" })
                    .env("AGENTCORE_HOSTILE_ATTACK", attack.unwrap_or_default())
                    .run()?)
            }
            Self::Soak { minutes, seed } => soak(&workspace, minutes, seed),
            Self::Dist => dist::run(&workspace),
            Self::Mock { args } => {
                Ok(cmd!(shell, "cargo run --quiet --package agentcore-cli -- mock {args...}").run()?)
            }
        }
    }
}

/// Runs the soak; a seed is chosen where none is given.
fn soak(workspace: &Workspace, minutes: u32, seed: Option<u64>) -> Outcome {
    let shell = &workspace.shell;
    let soak = cmd!(shell, "cargo test --workspace --all-features --test soak -- --nocapture");
    let soak = soak.env("AGENTCORE_SOAK_SECONDS", (minutes * 60).to_string());
    Ok(seed.into_iter().fold(soak, |soak, seed| soak.env("AGENTCORE_SOAK_SEED", seed.to_string())).run()?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }
}
