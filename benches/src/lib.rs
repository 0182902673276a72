//! Compares the crates of this workspace with the bare connection pool and with code by hand, against one server on loopback.
//!
//! All contenders do the same work in turns within one run, and what is told are ratios to the floor of that run: they are the
//! machine's less than times are. It asserts nothing but that all contenders read the same, and needs no network.
//!
//! The contenders of the workspace itself are here. Others, which bring large dependencies, are in a program of their own that
//! adds them to [`run`]; see `benches/peers`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program's output is its purpose")]

mod allocations;
mod answer;
mod contender;
mod first_event;
mod frame;
mod growth;
mod held;
mod input;
mod instructions;
mod place;
mod rounds;
mod server;
mod stats;
mod work;

use std::{env, error::Error, process::ExitCode};

pub use self::{
    allocations::Count,
    answer::Answer,
    contender::{Contender, Opened, Opening, PROMPT, Peers, Running, SESSION_ID, Site, each, text},
    input::Input,
    work::Work,
};

/// What is measured, or why it was not.
pub type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// The program: does what its arguments say, with the contenders of the workspace and these.
#[must_use]
pub fn run(peers: Peers) -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    report(match arguments[..] {
        [] => rounds::table(rounds::FULL, "", peers),
        ["--row", part] => rounds::table(rounds::FULL, part, peers),
        ["--quick"] => rounds::table(rounds::QUICK, "", peers),
        ["--first-event"] => first_event::table(peers),
        ["--growth", program] => growth::table(program),
        ["--memory"] => held::table(peers),
        ["--streams"] => held::by_protocol(),
        ["--instructions"] => instructions::document(peers),
        [server::COMMAND, protocol] => server::serve(protocol),
        [held::COMMAND, place, contender, work, streams] => held::counted(place, contender, work, streams, peers),
        [growth::COMMAND, place, subject, size] => growth::counted(place, subject, size),
        [instructions::COMMAND, place, work, contender, count] => {
            instructions::counted(place, work, contender, count, peers)
        }
        _ => Err("usage: agentcore-benches [--quick | --first-event | --growth ACORE | --instructions | --memory | --row PART | --streams]".into()),
    })
}

/// The program that counts allocations. It is another one, since its allocator would be measured with the rest.
#[must_use]
pub fn count_allocations(count: Count) -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    report(match arguments[..] {
        [server::COMMAND, protocol] => server::serve(protocol),
        _ => allocations::document(count),
    })
}

fn report(outcome: Result<String>) -> ExitCode {
    match outcome {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
