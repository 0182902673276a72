//! `acore`: talks to agents on Amazon Bedrock AgentCore Runtime from the command line. Holds no protocol of its own.

mod args;
mod command;
mod identity;
mod input;
mod log;
mod output;
mod progress;
mod report;
mod session;
mod signal;
mod target;

use std::process::ExitCode;

use report::Failure;

fn main() -> ExitCode {
    let (cli, matches) = match args::parse(std::env::args_os()) {
        Ok(parsed) => parsed,
        Err(usage) => {
            // A reader that has gone needs no help text.
            let _ = usage.print();
            return u8::try_from(usage.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    log::start(cli.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::trouble("cannot start the asynchronous runtime").caused_by(&error).tell().into(),
    };
    let exit = runtime.block_on(signal::supervise(command::run(cli, matches)));
    // A thread that still waits for standard input must not hold the exit up.
    runtime.shutdown_background();
    exit.into()
}

/// One for the command, one for the embedded mock.
const WORKERS: usize = 2;
