//! A value with its source: the command line, an environment variable, a file or a default. Knows no flag by name.

use std::{ffi::OsStr, fmt, marker::PhantomData, str::FromStr};

use agentcore_client::{CustomHeader, Dialect, UserId};
use clap::{
    Arg, ArgAction, Command, Error,
    builder::{FalseyValueParser, PossibleValue, StringValueParser, TypedValueParser, ValueParser, ValueParserFactory},
    error::ErrorKind,
    parser::ValueSource,
};

use crate::errors::{Failure, one_line};

/// A value and where it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sourced<T> {
    pub(crate) value: T,
    pub(crate) source: Source,
}

/// Where a value comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Source {
    /// The command line.
    Flag,
    /// The environment variable of this name.
    Variable(String),
    /// The configuration file.
    File,
    /// The context of this name in the configuration file.
    Context(String),
    /// What `acore login` was told last.
    Login,
    #[default]
    Default,
}

impl Source {
    /// Returns whether the value was typed.
    pub(crate) fn is_flag(&self) -> bool {
        *self == Self::Flag
    }

    /// Returns whether the environment says so.
    pub(crate) fn is_variable(&self) -> bool {
        matches!(self, Self::Variable(_))
    }

    /// Returns the level: a higher one beats a lower one, two of the same level are a conflict.
    pub(crate) fn level(&self) -> u8 {
        match self {
            Self::Flag => 4,
            Self::Variable(_) => 3,
            Self::File | Self::Context(_) => 2,
            Self::Login => 1,
            Self::Default => 0,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("command line"),
            Self::Variable(name) => f.write_str(name),
            Self::File => f.write_str("configuration file"),
            Self::Context(name) => write!(f, "context {name}"),
            Self::Login => f.write_str("last login"),
            Self::Default => f.write_str("default"),
        }
    }
}

impl<T> Sourced<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced { value: change(self.value), source: self.source }
    }

    pub(crate) fn try_map<U, E>(self, change: impl FnOnce(T) -> Result<U, E>) -> Result<Sourced<U>, E> {
        Ok(Sourced { value: change(self.value)?, source: self.source })
    }
}

impl Sourced<bool> {
    /// Returns the source of a switch that is on.
    pub(crate) fn on(&self) -> Option<&Source> {
        self.value.then_some(&self.source)
    }
}

/// Returns a value that was typed.
pub(crate) fn typed<T: Clone>(value: &Option<Sourced<T>>) -> Option<Sourced<T>> {
    value.clone().filter(|value| value.source.is_flag())
}

/// Returns the value of the highest level among flags that exclude each other.
///
/// # Errors
/// If there are two of that level; the error names both.
pub(crate) fn exclusive<T, const N: usize>(
    candidates: [(&'static str, Option<Sourced<T>>); N],
) -> Result<Option<Sourced<T>>, Failure> {
    let set: Vec<_> = candidates.into_iter().filter_map(|(flag, value)| Some((flag, value?))).collect();
    let Some(highest) = set.iter().map(|(_, value)| value.source.level()).max() else { return Ok(None) };
    let mut set = set.into_iter().filter(|(_, value)| value.source.level() == highest);
    let Some((flag, value)) = set.next() else { return Ok(None) };
    if let Some((other, _)) = set.next() {
        let origin = match &value.source {
            Source::Variable(_) => ", by the environment".to_owned(),
            Source::Context(name) => format!(", by the context {name}"),
            _ => String::new(),
        };
        return Err(Failure::usage(format!("{flag} and {other} exclude each other, and both are given{origin}")));
    }
    tracing::debug!(flag, source = %value.source, "in force");
    Ok(Some(value))
}

/// Parses as another parser does and adds the source.
#[derive(Clone)]
pub(crate) struct SourcedParser<P>(pub(crate) P);

impl<P: TypedValueParser> TypedValueParser for SourcedParser<P>
where
    P::Value: Clone + Send + Sync + 'static,
{
    type Value = Sourced<P::Value>;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, text: &OsStr) -> Result<Self::Value, Error> {
        self.parse_ref_(command, arg, text, ValueSource::CommandLine)
    }

    fn parse_ref_(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        text: &OsStr,
        source: ValueSource,
    ) -> Result<Self::Value, Error> {
        let value = self.0.parse_ref_(command, arg, text, source)?;
        let variable = || arg.and_then(Arg::get_env).unwrap_or_default().to_string_lossy().into_owned();
        let source = match source {
            ValueSource::CommandLine => Source::Flag,
            ValueSource::EnvVariable => Source::Variable(variable()),
            _ => Source::Default,
        };
        Ok(Sourced { value, source })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        self.0.possible_values()
    }
}

impl ValueParserFactory for Sourced<String> {
    type Parser = SourcedParser<StringValueParser>;

    fn value_parser() -> Self::Parser {
        SourcedParser(StringValueParser::new())
    }
}

impl ValueParserFactory for Sourced<bool> {
    type Parser = SourcedParser<FalseyValueParser>;

    fn value_parser() -> Self::Parser {
        SourcedParser(FalseyValueParser::new())
    }
}

/// Parses what the library has a type for. Its errors say what is wrong in the library's words, which tell no secret: those of clap
/// repeat the value.
pub(crate) struct LibraryParser<T>(PhantomData<fn() -> T>);

impl<T> Clone for LibraryParser<T> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<T> TypedValueParser for LibraryParser<T>
where
    T: FromStr<Err: Into<agentcore_client::Error>> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, text: &OsStr) -> Result<T, Error> {
        let text = StringValueParser::new().parse_ref(command, arg, text)?;
        text.parse().map_err(|error| {
            let (_, message, _) = Failure::from(error).summary();
            Error::raw(ErrorKind::ValueValidation, format!("{}\n", one_line(&message)))
        })
    }
}

macro_rules! library_values {
    ($($value:ty),*) => {$(
        impl ValueParserFactory for Sourced<$value> {
            type Parser = SourcedParser<LibraryParser<$value>>;

            fn value_parser() -> Self::Parser {
                SourcedParser(LibraryParser(PhantomData))
            }
        }
    )*};
}

library_values!(CustomHeader, Dialect, UserId);

/// Gives every flag its variables; one that is set to nothing counts as not set.
pub(crate) fn with_environment(command: Command) -> Command {
    command.mut_args(with_variable).mut_subcommands(with_environment)
}

fn with_variable(arg: Arg) -> Arg {
    let Some(flag) = arg.get_long().filter(|flag| !matches!(*flag, "help" | "version")) else { return arg };
    let own = format!("AGENTCORE_{}", flag.replace('-', "_").to_uppercase());
    let other = OTHER_VARIABLES.iter().find(|(name, _)| *name == flag).map(|(_, variable)| *variable);
    let is_empty = |name: &str| std::env::var_os(name).map(|value| value.is_empty());
    let set = [own.as_str()].into_iter().chain(other).find(|name| is_empty(name) == Some(false));
    let name = set.unwrap_or(&own).to_owned();
    let is_switch = matches!(arg.get_action(), ArgAction::SetTrue);
    let arg = if is_switch && arg.get_value_parser().type_id() == ValueParser::bool().type_id() {
        arg.value_parser(FalseyValueParser::new())
    } else {
        arg
    };
    if is_empty(&name) == Some(true) { arg } else { arg.env(name).hide_env(true) }
}

/// Variables besides `AGENTCORE_` and the flag's name, which come first. Those of endpoint URLs and AWS credentials are read
/// by the libraries.
pub(crate) const OTHER_VARIABLES: &[(&str, &str)] =
    &[("arn", "AGENTCORE_RUNTIME_ARN"), ("bearer-token", "BEDROCK_AGENTCORE_BEARER_TOKEN"), ("region", "AWS_REGION")];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::Exit;

    #[test]
    fn the_one_choice() {
        let typed = |value| Some(Sourced { value, source: Source::Flag });
        let variable = |value, name: &str| Some(Sourced { value, source: Source::Variable(name.to_owned()) });
        let default = |value| Some(Sourced { value, source: Source::Default });
        for (a, b, chosen) in [
            (None, None, Ok(None)),
            (typed(1), None, Ok(Some(1))),
            (None, variable(2, "B"), Ok(Some(2))),
            (typed(1), variable(2, "B"), Ok(Some(1))),
            (variable(1, "A"), typed(2), Ok(Some(2))),
            (variable(1, "A"), default(2), Ok(Some(1))),
            (default(1), typed(2), Ok(Some(2))),
            (typed(1), typed(2), Err("error: --a and --b exclude each other, and both are given\n")),
            (
                variable(1, "A"),
                variable(2, "B"),
                Err("error: --a and --b exclude each other, and both are given, by the environment\n"),
            ),
        ] {
            let made = exclusive([("--a", a), ("--b", b)]).map(|value| value.map(|value| value.value));
            let chosen = chosen.map_err(|lines: &str| (Exit::Usage, lines.to_owned()));
            assert_eq!(made.map_err(|failure| failure.parts()), chosen);
        }
    }
}
