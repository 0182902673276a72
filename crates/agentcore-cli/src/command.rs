//! The commands, one file each, and the whole command line: its grammar, and which command it means.

mod batch;
mod chat;
mod config;
mod connect;
mod doctor;
mod exec;
mod grammar;
mod invoke;
mod login;
mod manual;
mod mock;
mod ping;
mod session;
mod shell;
mod token;
mod topics;
mod ws_headers;
mod ws_url;

use std::{ffi::OsString, io::Write as _};

use clap::{
    ArgAction, CommandFactory as _, Error, FromArgMatches as _, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{
    context::Context,
    errors::Failure,
    flags::{IdentityFlags, TargetFlags},
};
use grammar::{grammar, listed, refuse_useless};

/// Talks to agents on Amazon Bedrock AgentCore Runtime.
#[derive(Parser)]
#[command(name = "acore", version, max_term_width = 100, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    target: TargetFlags,
    #[command(flatten)]
    identity: IdentityFlags,
    /// What of it was typed, without the environment.
    #[arg(skip)]
    typed_identity: IdentityFlags,
    /// Logs a line an attempt to standard error; twice: everything (RUST_LOG beats it)
    #[arg(short, long, action = ArgAction::Count, global = true, help_heading = "General")]
    pub(crate) verbose: u8,
}

/// What to do.
#[derive(Subcommand)]
enum Command {
    Invoke(invoke::InvokeFlags),
    Batch(batch::BatchFlags),
    Chat(chat::ChatFlags),
    Connect(connect::ConnectFlags),
    WsUrl(ws_url::WsUrlFlags),
    WsHeaders(ws_headers::WsHeadersFlags),
    Exec(exec::ExecFlags),
    Shell(shell::ShellFlags),
    Session(session::NewSessionFlags),
    Stop(session::StopFlags),
    Card(session::CardFlags),
    Ping(ping::PingFlags),
    Doctor(doctor::DoctorFlags),
    Token(token::TokenFlags),
    Login(login::LoginFlags),
    Logout(login::LogoutFlags),
    Config(config::ConfigFlags),
    Mock(mock::MockFlags),
    Completions(manual::CompletionsFlags),
    Man(manual::ManFlags),
    Version(manual::VersionFlags),
    Identity(topics::IdentityTopic),
    Environment(topics::EnvironmentTopic),
    ExitCodes(topics::ExitCodesTopic),
}

impl Cli {
    /// Parses a command line; flags that are not on it come from the environment.
    pub(crate) fn parse_line(line: impl IntoIterator<Item = OsString>) -> Result<Self, Error> {
        let line: Vec<OsString> = line.into_iter().collect();
        let mut grammar = grammar(Self::command());
        let matches = grammar.try_get_matches_from_mut(&line).map_err(quote)?;
        refuse_useless(&mut grammar, &matches)?;
        let mut cli = Self::from_arg_matches(&matches).map_err(|error| error.format(&mut grammar))?;
        cli.typed_identity = IdentityFlags::from_arg_matches(&Self::command().try_get_matches_from(line)?)?;
        // It says nothing of who is calling.
        cli.typed_identity.token_store.clone_from(&cli.identity.token_store);
        Ok(cli)
    }

    /// Does what the command line says.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let context = || Context::load(self.target, self.identity, self.typed_identity);
        match self.command {
            Command::Invoke(flags) => flags.run(&context()?).await,
            Command::Batch(flags) => flags.run(&context()?).await,
            Command::Chat(flags) => flags.run(&context()?).await,
            Command::Connect(flags) => flags.run(&context()?).await,
            Command::WsUrl(flags) => flags.run(&context()?).await,
            Command::WsHeaders(flags) => flags.run(&context()?).await,
            Command::Exec(flags) => flags.run(&context()?).await,
            Command::Shell(flags) => flags.run(&context()?).await,
            Command::Session(flags) => flags.run(),
            Command::Stop(flags) => flags.run(&context()?).await,
            Command::Card(flags) => flags.run(&context()?).await,
            Command::Ping(flags) => flags.run(&context()?).await,
            Command::Doctor(flags) => flags.run(&context()?).await,
            Command::Token(flags) => flags.run(&context()?).await,
            Command::Login(flags) => flags.run(&context()?).await,
            Command::Logout(flags) => flags.run(&context()?).await,
            Command::Config(flags) => flags.run(&context()?),
            Command::Mock(flags) => flags.run().await,
            Command::Completions(flags) => flags.run(listed(Self::command())),
            Command::Man(flags) => flags.run(listed(Self::command())),
            Command::Version(flags) => flags.run(),
            Command::Identity(_) => topic("identity"),
            Command::Environment(_) => topic("environment"),
            Command::ExitCodes(_) => topic("exit-codes"),
        }
    }
}

/// Prints what `acore help` says of a topic.
fn topic(name: &str) -> Result<(), Failure> {
    let mut grammar = grammar(Cli::command());
    grammar.build();
    let help = grammar.find_subcommand_mut(name).map(|topic| topic.render_long_help().ansi().to_string());
    // A reader that has gone needs no help.
    let _ = write!(anstream::stdout(), "{}", help.unwrap_or_default());
    Ok(())
}

/// Adds what to do about a prompt of several words, which the shell has taken apart.
fn quote(mut error: Error) -> Error {
    let stray = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(word)) if error.kind() == ErrorKind::UnknownArgument => !word.starts_with('-'),
        _ => false,
    };
    let usage = error.get(ContextKind::Usage).map(ToString::to_string).unwrap_or_default();
    if stray && usage.contains("[PROMPT]") {
        let tip = "quote a prompt of several words: acore invoke \"hello world\"".into();
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
}

const AFTER_HELP: &str = "\
More: acore COMMAND --help, acore help identity | environment | exit-codes
Try it without an account: acore --mock invoke \"Tell me a story\"";

#[cfg(test)]
mod tests;
