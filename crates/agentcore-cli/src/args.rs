//! The command line and the environment that stands behind it. Checks how flags go together; what they mean is others' affair.

use std::{ffi::OsString, time::Duration};

use clap::{
    Arg, ArgAction, ArgMatches, Command as Grammar, CommandFactory as _, FromArgMatches as _, Parser,
    builder::FalseyValueParser, parser::ValueSource,
};

use crate::{command::Command, identity, report::Failure, target};

/// Talks to agents on Amazon Bedrock AgentCore Runtime.
#[derive(Parser)]
#[command(name = "acore", version, max_term_width = 100, after_help = AFTER_HELP, after_long_help = AFTER_LONG_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) target: target::Flags,
    #[command(flatten)]
    pub(crate) identity: identity::Flags,
    /// Logs attempts to standard error; twice: everything (RUST_LOG beats it)
    #[arg(short, long, action = ArgAction::Count, global = true, help_heading = "General")]
    pub(crate) verbose: u8,
}

/// Parses a command line; flags that are not on it come from the environment.
pub(crate) fn parse(line: impl IntoIterator<Item = OsString>) -> Result<(Cli, ArgMatches), clap::Error> {
    let mut grammar = grammar();
    let matches = grammar.try_get_matches_from_mut(line)?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut grammar))?;
    Ok((cli, matches))
}

/// The whole grammar, environment variables included.
pub(crate) fn grammar() -> Grammar {
    with_environment(Cli::command())
}

/// Gives every flag its variables; one that is set to nothing counts as not set.
fn with_environment(grammar: Grammar) -> Grammar {
    grammar.mut_args(variable).mut_subcommands(with_environment)
}

fn variable(arg: Arg) -> Arg {
    let Some(flag) = arg.get_long().filter(|flag| !matches!(*flag, "help" | "version")) else { return arg };
    let own = format!("AGENTCORE_{}", flag.replace('-', "_").to_uppercase());
    let others = OTHER_VARIABLES.iter().find(|(name, _)| *name == flag).map_or(&[][..], |(_, names)| names);
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let empty = |name: &str| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let name = [own.as_str()].into_iter().chain(others.iter().copied()).find(is_set).unwrap_or(&own).to_owned();
    let arg = match arg.get_action() {
        ArgAction::SetTrue => arg.value_parser(FalseyValueParser::new()),
        _ => arg,
    };
    if empty(&name) { arg } else { arg.env(name).hide_env(true) }
}

/// What a flag was given, and whether on the command line, which beats the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given<T> {
    pub(crate) value: T,
    pub(crate) explicit: bool,
}

impl<T> Given<T> {
    /// The value of the flag with this id, if it has one.
    pub(crate) fn of(matches: &ArgMatches, id: &str, value: Option<T>) -> Option<Self> {
        let explicit = matches.value_source(id) == Some(ValueSource::CommandLine);
        value.map(|value| Self { value, explicit })
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Given<U> {
        Given { value: change(self.value), explicit: self.explicit }
    }

    pub(crate) fn try_map<U>(self, change: impl FnOnce(T) -> Result<U, Failure>) -> Result<Given<U>, Failure> {
        Ok(Given { value: change(self.value)?, explicit: self.explicit })
    }
}

/// The one choice among flags that exclude each other: the command line beats the environment, and a double choice is an
/// error that names both.
pub(crate) fn one_of<T, const N: usize>(choices: [(&str, Option<Given<T>>); N]) -> Result<Option<Given<T>>, Failure> {
    let given = choices.into_iter().filter_map(|(name, given)| Some((name, given?)));
    let (explicit, ambient): (Vec<_>, Vec<_>) = given.partition(|(_, given)| given.explicit);
    let (strongest, origin) = if explicit.is_empty() { (ambient, ", by the environment") } else { (explicit, "") };
    let mut strongest = strongest.into_iter();
    match (strongest.next(), strongest.next()) {
        (Some((first, _)), Some((second, _))) => {
            Err(Failure::usage(format!("{first} and {second} exclude each other, and both are given{origin}")))
        }
        (only, _) => Ok(only.map(|(_, given)| given)),
    }
}

/// Reads a number of seconds, which may have a fraction.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|duration| !duration.is_zero()).ok_or_else(|| "it must be a number of seconds above 0".to_owned())
}

/// Variables besides `AGENTCORE_` and the flag's name, which come first. Those of endpoint URLs and AWS credentials are read
/// by the libraries.
const OTHER_VARIABLES: &[(&str, &[&str])] = &[
    ("arn", &["AGENTCORE_RUNTIME_ARN"]),
    ("bearer-token", &["BEDROCK_AGENTCORE_BEARER_TOKEN"]),
    ("region", &["AWS_REGION"]),
];

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
