//! The commands, one file each.

mod completions;
mod invoke;
mod login;
mod mock;
mod ping;
mod token;

use clap::{ArgMatches, Subcommand};

use crate::{args::Cli, report::Failure, target::Plan};

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    Invoke(invoke::Flags),
    Ping(ping::Flags),
    Token(token::Flags),
    Login(login::LoginFlags),
    Logout(login::LogoutFlags),
    Mock(mock::Flags),
    Completions(completions::Flags),
}

/// Does what the command line says.
pub(crate) async fn run(cli: Cli, matches: ArgMatches) -> Result<(), Failure> {
    // Global flags are in the subcommand's matches too, wherever they stood.
    let matches = matches.subcommand().map_or(&matches, |(_, matches)| matches);
    let target = cli.target.choice(matches);
    let identity = cli.identity.choice(matches);
    match cli.command {
        Command::Invoke(flags) => {
            let plan = Plan::new(target, identity, |name| std::env::var(name).ok())?;
            invoke::Call::new(flags, matches)?.run(plan).await
        }
        Command::Ping(flags) => ping::run(flags, target, identity).await,
        Command::Token(flags) => token::run(flags, target, identity).await,
        Command::Login(_) => login::log_in(identity).await,
        Command::Logout(_) => login::log_out(identity).await,
        Command::Mock(flags) => mock::run(flags).await,
        Command::Completions(flags) => completions::run(flags),
    }
}
