//! The flags of a call: the session it belongs to, what goes with it, and how long it may take. Sends nothing.

use std::time::Duration;

use agentcore_client::{CustomHeader, Dialect, Invoke, RetryPolicy, SessionId, Timeouts, UserId, WebSocketRequest};
use clap::{ArgAction, Args};

use super::source::{Sourced, exclusive};
use crate::errors::Failure;

/// The flags that name a session.
#[derive(Args)]
#[group(skip)]
pub(crate) struct SessionFlags {
    /// The session to go on in, 33 to 256 characters [default: a new one]
    #[arg(long, value_name = "ID")]
    session_id: Option<Sourced<String>>,
    /// The session by a short name of yours, of which a stable id is made
    #[arg(long, value_name = "NAME")]
    session_name: Option<Sourced<String>>,
}

impl SessionFlags {
    /// Returns the session that is named, or a new one.
    pub(crate) fn session(self) -> Result<SessionId, Failure> {
        Ok(self.named()?.unwrap_or_else(SessionId::random))
    }

    /// Returns the session that is named, if one is.
    pub(crate) fn named(self) -> Result<Option<SessionId>, Failure> {
        let by_id = self.session_id.map(|id| id.try_map(|text| session_id(&text))).transpose()?;
        let by_name = self.session_name.map(|name| name.map(|text| SessionId::derive(&text)));
        let named = exclusive([("--session-id", by_id), ("--session-name", by_name)])?;
        Ok(named.map(|session| session.value))
    }
}

/// The flags that add to a WebSocket's URL.
#[derive(Args)]
#[group(skip)]
pub(crate) struct ParamFlags {
    /// A query parameter of your own; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,
}

impl ParamFlags {
    /// Adds the parameters to the URL.
    pub(crate) fn apply(&self, request: WebSocketRequest) -> Result<WebSocketRequest, Failure> {
        self.params.iter().try_fold(request, |request, param| {
            let (name, value) = param.split_once('=').ok_or_else(|| {
                Failure::usage(format!("--param {param:?} has no value: it must look like NAME=VALUE"))
            })?;
            Ok(request.param(name, value)?)
        })
    }
}

/// The flags of an invocation.
#[derive(Args)]
#[group(skip)]
#[command(next_help_heading = "What to say")]
pub(crate) struct CallFlags {
    #[command(flatten)]
    session: SessionFlags,
    #[command(flatten)]
    request: RequestFlags,
}

/// The flags of an invocation, or of many, whatever their session is.
#[derive(Args)]
#[group(skip)]
#[command(next_help_heading = "What to say")]
pub(crate) struct RequestFlags {
    /// The user, for the agent to see [default: none; with a token the service takes the user from that]
    #[arg(long, value_name = "ID")]
    user_id: Option<Sourced<UserId>>,
    /// A header for the agent, where the runtime allows it; may be repeated
    #[arg(long = "header", value_name = "NAME=VALUE")]
    headers: Vec<Sourced<CustomHeader>>,
    /// Asks the agent for its trace, by `enableTrace` beside the prompt (the default)
    #[arg(long, action = ArgAction::SetTrue)]
    trace: Sourced<bool>,
    /// Asks for no trace
    #[arg(long, action = ArgAction::SetTrue)]
    no_trace: Sourced<bool>,
    /// Takes server-sent events that are not ended by an empty line
    #[arg(long, action = ArgAction::SetTrue, help_heading = "The answer")]
    lenient_sse: Sourced<bool>,
    /// How the agent writes its events, where that is not found out by itself
    #[arg(long, value_name = "NAME", help_heading = "The answer")]
    dialect: Option<Sourced<Dialect>>,
    /// Seconds that the whole call may take [default: 61 minutes]
    #[arg(long, value_name = "SECS", value_parser = seconds, default_value = "3660", hide_default_value = true, help_heading = "Patience")]
    pub(crate) timeout: Duration,
    /// Seconds that the agent may be silent between two pieces of its answer [default: 16 minutes]
    #[arg(long, value_name = "SECS", value_parser = seconds, default_value = "960", hide_default_value = true, help_heading = "Patience")]
    pub(crate) idle_timeout: Duration,
    /// Sends the request once, whatever happens
    #[arg(long, help_heading = "Patience")]
    no_retry: bool,
}

impl CallFlags {
    /// Returns the first typed flag that only an invocation understands.
    pub(crate) fn typed_for_http(&self) -> Option<&'static str> {
        let Self { request, .. } = self;
        let texts = request.user_id.iter().map(|id| ("--user-id", &id.source));
        let texts = texts.chain(request.dialect.iter().map(|name| ("--dialect", &name.source)));
        let texts = texts.chain(request.headers.iter().map(|header| ("--header", &header.source)));
        let mut flags = texts.chain([("--lenient-sse", &request.lenient_sse.source)]);
        flags.find_map(|(flag, source)| source.is_flag().then_some(flag))
    }

    /// Returns the session that is named, and the rest of the flags.
    pub(crate) fn split(self) -> Result<(Option<SessionId>, RequestFlags), Failure> {
        Ok((self.session.named()?, self.request))
    }
}

impl RequestFlags {
    /// Returns whether a prompt asks for the agent's trace.
    pub(crate) fn asks_for_trace(&self) -> Result<bool, Failure> {
        let switch = |flag: &Sourced<bool>, on| flag.on().map(|source| Sourced { value: on, source: source.clone() });
        let trace = [("--trace", switch(&self.trace, true)), ("--no-trace", switch(&self.no_trace, false))];
        Ok(exclusive(trace)?.is_none_or(|trace| trace.value))
    }

    /// Returns whether streams are read that do not end their events.
    pub(crate) fn is_lenient(&self) -> bool {
        self.lenient_sse.value
    }

    /// Returns the dialect that is named.
    pub(crate) fn named_dialect(&self) -> Option<Dialect> {
        self.dialect.as_ref().map(|dialect| dialect.value)
    }

    /// Returns when a call is sent again.
    pub(crate) fn retry(&self) -> RetryPolicy {
        if self.no_retry { RetryPolicy::off() } else { RetryPolicy::default() }
    }

    /// Makes an invocation as the flags say.
    pub(crate) fn apply(&self, invoke: Invoke) -> Invoke {
        let timeouts = Timeouts::default().total(self.timeout).idle(self.idle_timeout);
        let invoke = invoke.timeouts(timeouts).retry(self.retry());
        let invoke = self.user_id.iter().fold(invoke, |invoke, user| invoke.user(user.value.clone()));
        let invoke = self.named_dialect().into_iter().fold(invoke, Invoke::dialect);
        self.headers.iter().fold(invoke, |invoke, header| invoke.header(header.value.clone()))
    }
}

/// Parses a number of seconds, which may have a fraction. More than a duration can hold are never.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.is_finite() && *seconds > 0.0);
    let duration = seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
    duration.filter(|duration| !duration.is_zero()).ok_or_else(|| "it must be a number of seconds above 0".to_owned())
}

fn session_id(text: &str) -> Result<SessionId, Failure> {
    text.parse().map_err(|error| Failure::from(error).hint("--session-name NAME makes a valid, stable id of any name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_fractions_and_an_end() {
        for (text, duration) in [
            ("1", Some(Duration::from_secs(1))),
            ("0.25", Some(Duration::from_millis(250))),
            ("1e3", Some(Duration::from_secs(1000))),
            ("0", None),
            ("-0", None),
            ("1e-12", None),
            ("-1", None),
            ("inf", None),
            ("NaN", None),
            ("1e19", Some(Duration::from_secs(10_000_000_000_000_000_000))),
            ("1e300", Some(Duration::MAX)),
            ("", None),
            ("1s", None),
        ] {
            assert_eq!(seconds(text).ok(), duration, "{text}");
        }
    }
}
