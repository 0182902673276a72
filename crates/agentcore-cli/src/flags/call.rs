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
    user_id: Option<Sourced<String>>,
    /// A header for the agent, where the runtime allows it; may be repeated
    #[arg(long = "header", value_name = "NAME=VALUE")]
    headers: Vec<Sourced<String>>,
    /// Asks the agent for its trace, by `enableTrace` beside the prompt; the default
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
    dialect: Option<Sourced<String>>,
    /// Seconds that the whole call may take [default: 61 minutes]
    #[arg(long, value_name = "SECS", value_parser = seconds, help_heading = "Patience")]
    timeout: Option<Duration>,
    /// Seconds that the agent may be silent between two pieces of its answer [default: 16 minutes]
    #[arg(long, value_name = "SECS", value_parser = seconds, help_heading = "Patience")]
    idle_timeout: Option<Duration>,
    /// Sends the request once, whatever happens
    #[arg(long, help_heading = "Patience")]
    no_retry: bool,
}

/// The settings of a call.
pub(crate) struct CallSettings {
    pub(crate) session: SessionId,
    /// Whether the user named the session.
    pub(crate) is_named: bool,
    user: Option<UserId>,
    headers: Vec<CustomHeader>,
    /// Whether a prompt asks for the agent's trace.
    pub(crate) trace: bool,
    pub(crate) lenient_sse: bool,
    pub(crate) dialect: Option<Dialect>,
    pub(crate) timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) retry: RetryPolicy,
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

    /// Parses the values.
    pub(crate) fn settings(self) -> Result<CallSettings, Failure> {
        let named = self.session.named()?;
        self.request.settings(named)
    }
}

impl RequestFlags {
    /// Parses the values, for calls in this session, or else in a new one.
    pub(crate) fn settings(self, named: Option<SessionId>) -> Result<CallSettings, Failure> {
        let switch = |flag: &Sourced<bool>, on| flag.on().map(|source| Sourced { value: on, source: source.clone() });
        let trace = [("--trace", switch(&self.trace, true)), ("--no-trace", switch(&self.no_trace, false))];
        Ok(CallSettings {
            trace: exclusive(trace)?.is_none_or(|trace| trace.value),
            is_named: named.is_some(),
            session: named.unwrap_or_else(SessionId::random),
            user: self.user_id.map(|id| id.value.parse()).transpose()?,
            headers: self.headers.iter().map(|header| header.value.parse()).collect::<Result<_, _>>()?,
            lenient_sse: self.lenient_sse.value,
            dialect: self.dialect.map(|name| name.value.parse()).transpose()?,
            timeout: self.timeout.unwrap_or(TIMEOUT),
            idle_timeout: self.idle_timeout.unwrap_or(IDLE_TIMEOUT),
            retry: if self.no_retry { RetryPolicy::off() } else { RetryPolicy::default() },
        })
    }
}

impl CallSettings {
    /// Makes an invocation by these settings.
    pub(crate) fn apply(&self, invoke: Invoke) -> Invoke {
        self.apply_in(&self.session, invoke)
    }

    /// Makes an invocation by these settings, in another session.
    pub(crate) fn apply_in(&self, session: &SessionId, invoke: Invoke) -> Invoke {
        let timeouts = Timeouts::default().total(self.timeout).idle(self.idle_timeout);
        let invoke = invoke.session(session).timeouts(timeouts).retry(self.retry.clone());
        let invoke = self.user.iter().cloned().fold(invoke, Invoke::user);
        let invoke = self.dialect.into_iter().fold(invoke, Invoke::dialect);
        self.headers.iter().cloned().fold(invoke, Invoke::header)
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

const TIMEOUT: Duration = Duration::from_secs(61 * 60);
const IDLE_TIMEOUT: Duration = Duration::from_secs(16 * 60);

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
