//! `acore`: talks to agents on Amazon Bedrock AgentCore Runtime from the command line. Holds no protocol of its own.
//!
//! Each layer knows only those below it:
//!
//! | layer | what it is about |
//! |---|---|
//! | [`command`] | the grammar, and one file a command |
//! | [`context`] | what the flags mean: where calls go, as whom, by which client |
//! | [`identity`], [`target`] | who is calling · where the agent is |
//! | [`config`] | what the files say: contexts, and the last login |
//! | [`flags`] | what was typed, each value with its source |
//! | [`input`], [`output`], [`errors`], [`signal`], [`progress`], [`log`], [`terminal`], [`question`], [`end_mark`], [`directories`] | the process and its streams |

mod command;
mod config;
mod context;
mod directories;
mod end_mark;
mod errors;
mod flags;
mod identity;
mod input;
mod log;
mod output;
mod progress;
mod question;
mod sequences;
mod signal;
mod target;
mod terminal;

use std::process::ExitCode;

use command::Cli;
use errors::Failure;

fn main() -> ExitCode {
    let cli = match Cli::parse_line(std::env::args_os()) {
        Ok(cli) => cli,
        Err(usage) => {
            // A reader that has gone needs no help text.
            let _ = usage.print();
            return u8::try_from(usage.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    log::start(cli.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return Failure::internal("cannot start the asynchronous runtime").caused_by(&error).report().into();
        }
    };
    let exit = runtime.block_on(signal::supervise(cli.run()));
    // A thread that still waits for standard input must not hold the exit up.
    runtime.shutdown_background();
    exit.into()
}

/// One for the command, one for the embedded mock.
const WORKERS: usize = 2;
