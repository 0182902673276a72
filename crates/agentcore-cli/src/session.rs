//! The session a command belongs to, by id or by name.

use agentcore_client::SessionId;
use clap::{ArgMatches, Args};

use crate::{
    args::{Given, one_of},
    report::Failure,
};

/// The flags that name a session.
#[derive(Args)]
#[group(skip)]
pub(crate) struct Flags {
    /// The session to go on in, 33 to 256 characters [default: a new one]
    #[arg(long, value_name = "ID")]
    session_id: Option<String>,
    /// The session by a short name of yours, of which a stable id is made
    #[arg(long, value_name = "NAME")]
    session_name: Option<String>,
}

impl Flags {
    /// The session that is named, if one is.
    pub(crate) fn choice(self, matches: &ArgMatches) -> Result<Option<SessionId>, Failure> {
        let by_id = Given::of(matches, "session_id", self.session_id)
            .map(|given| given.try_map(|text| session_id(&text)))
            .transpose()?;
        let by_name = Given::of(matches, "session_name", self.session_name)
            .map(|given| given.map(|name| SessionId::derive(&name)));
        Ok(one_of([("--session-id", by_id), ("--session-name", by_name)])?.map(|given| given.value))
    }
}

fn session_id(text: &str) -> Result<SessionId, Failure> {
    text.parse().map_err(|error| Failure::from(error).hint("--session-name NAME makes a valid, stable id of any name"))
}
