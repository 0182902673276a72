//! The commands, one file each, and the whole command line: its grammar, and which command it means.

mod batch;
mod chat;
mod config;
mod connect;
mod doctor;
mod exec;
mod invoke;
mod login;
mod mock;
mod ping;
mod session;
mod shell;
mod token;
mod ws_headers;
mod ws_url;

use std::ffi::OsString;

use clap::{ArgAction, Args, Command as Grammar, CommandFactory as _, Error, FromArgMatches as _, Parser, Subcommand};
use clap_complete::Shell;

use crate::{
    context::Context,
    errors::Failure,
    flags::{IdentityFlags, TargetFlags, with_environment},
    output::Output,
};

/// Talks to agents on Amazon Bedrock AgentCore Runtime.
#[derive(Parser)]
#[command(name = "acore", version, max_term_width = 100, after_help = AFTER_HELP, after_long_help = AFTER_LONG_HELP)]
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
    /// Logs attempts to standard error; twice: everything (RUST_LOG beats it)
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
    Completions(CompletionsFlags),
}

impl Cli {
    /// Parses a command line; flags that are not on it come from the environment.
    pub(crate) fn parse_line(line: impl IntoIterator<Item = OsString>) -> Result<Self, Error> {
        let line: Vec<OsString> = line.into_iter().collect();
        let mut grammar = grammar();
        let matches = grammar.try_get_matches_from_mut(&line)?;
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
            Command::Completions(flags) => flags.run(),
        }
    }
}

/// Prints a completion script for a shell
#[derive(Args)]
#[command(after_help = "Example: acore completions bash > ~/.local/share/bash-completion/completions/acore")]
struct CompletionsFlags {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl CompletionsFlags {
    fn run(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut grammar(), "acore", &mut script);
        Output::default().write(&script)
    }
}

/// Returns the whole grammar, environment variables included.
fn grammar() -> Grammar {
    with_environment(Cli::command())
}

const AFTER_HELP: &str = "\
Try it without an account: acore --mock invoke \"Tell me a story\"";

const AFTER_LONG_HELP: &str = "\
Examples:
  acore --mock invoke \"Tell me a story\"
  acore invoke --arn \"$ARN\" --sigv4 \"Hello\"
  acore invoke --arn \"$ARN\" --bearer-token - \"Hello\" < token.txt
  acore invoke --local http://127.0.0.1:8080 --output json \"Hello\"

Every flag can be set by an environment variable, AGENTCORE_ and its name; the command line wins, and
an empty variable counts as not set. Also read: AGENTCORE_RUNTIME_ARN, AWS_REGION,
AWS_ENDPOINT_URL_BEDROCK_AGENTCORE, BEDROCK_AGENTCORE_BEARER_TOKEN, and the AWS SDKs' own. With --mock, the
environment's agent, endpoint and credentials are ignored.

Exit codes:
    0  done
    2  usage or bad input; nothing was sent
    3  authentication or authorization refused
    4  throttled or unavailable
    5  timeout
    6  the agent or the service failed
    7  the answer broke off midway; what arrived is already printed
  130  interrupted";

#[cfg(test)]
mod tests;
