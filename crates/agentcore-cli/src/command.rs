//! The commands, one file each.

mod chat;
mod completions;
mod connect;
mod invoke;
mod login;
mod mock;
mod ping;
mod token;
mod ws_headers;
mod ws_url;

use clap::{ArgMatches, Subcommand};

use crate::{
    args::Cli,
    identity,
    report::Failure,
    target::{self, Plan},
};

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    Invoke(invoke::Flags),
    Chat(chat::Flags),
    Connect(connect::Flags),
    WsUrl(ws_url::Flags),
    WsHeaders(ws_headers::Flags),
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
            let plan = plan(target, identity)?;
            invoke::Call::new(flags, matches)?.run(plan).await
        }
        Command::Chat(flags) => {
            let chat = chat::Chat::new(flags, matches)?;
            chat.run(plan(target, identity)?).await
        }
        Command::Connect(flags) => {
            let connection = connect::Connection::new(flags, matches)?;
            let plan = plan(target, identity)?;
            let plan = if connection.signs() { plan.signing() } else { plan };
            connection.run(plan).await
        }
        Command::WsUrl(flags) => {
            let url = ws_url::Url::new(flags, matches)?;
            url.run(plan(target, identity)?.signing()).await
        }
        Command::WsHeaders(flags) => {
            let headers = ws_headers::Headers::new(flags, matches)?;
            headers.run(plan(target, identity)?).await
        }
        Command::Ping(flags) => ping::run(flags, target, identity).await,
        Command::Token(flags) => token::run(flags, target, identity).await,
        Command::Login(_) => login::log_in(identity).await,
        Command::Logout(_) => login::log_out(identity).await,
        Command::Mock(flags) => mock::run(flags).await,
        Command::Completions(flags) => completions::run(flags),
    }
}

/// Decides by the flags, and by the environment's endpoint URLs, where to go.
fn plan(target: target::Choice, identity: identity::Choice) -> Result<Plan, Failure> {
    Plan::new(target, identity, |name| std::env::var(name).ok())
}
