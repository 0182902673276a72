//! `acore ws-url`: a presigned URL, for whoever can be given a URL and nothing else.

use agentcore_client::{SessionId, auth::Auth, ws::Expiry};
use clap::{ArgMatches, Args};

use crate::{output::Output, report::Failure, session, target::Plan};

/// Prints a presigned wss:// URL, which opens the agent's WebSocket by itself until it expires; keep it secret
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Flags {
    #[command(flatten)]
    session: session::Flags,
    /// A query parameter of your own; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,
    /// Seconds that the URL can be used, 1 to 300
    #[arg(long, value_name = "SECS", default_value = "300", value_parser = expiry)]
    expires: Expiry,
}

/// What to print, judged.
pub(super) struct Url {
    session: Option<SessionId>,
    params: Vec<(String, String)>,
    expires: Expiry,
}

impl Url {
    /// Judges the flags.
    pub(super) fn new(flags: Flags, matches: &ArgMatches) -> Result<Self, Failure> {
        let params = flags.params.iter().map(|param| match param.split_once('=') {
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => Err(Failure::usage(format!("--param {param:?} has no value: it must look like NAME=VALUE"))),
        });
        Ok(Self {
            session: flags.session.choice(matches)?,
            params: params.collect::<Result<_, _>>()?,
            expires: flags.expires,
        })
    }

    /// Signs and prints it.
    pub(super) async fn run(self, plan: Plan) -> Result<(), Failure> {
        let reached = plan.reach(|client| client).await?;
        let Auth::SigV4(signer) = &reached.auth else {
            return Err(Failure::usage("a presigned URL needs AWS credentials: --sigv4")
                .hint("with a token, `acore ws-headers --subprotocol` prints what a browser needs"));
        };
        let mut opening = reached.runtime.websocket();
        if let Some(session) = &self.session {
            opening = opening.session(session);
        }
        for (name, value) in &self.params {
            opening = opening.param(name, value)?;
        }
        let url = opening.presign(signer, self.expires).await.map_err(|error| Failure::of_call(error, reached.way))?;
        Output::default().line(url.expose())
    }
}

fn expiry(text: &str) -> Result<Expiry, String> {
    text.parse().map_err(|error: agentcore_client::core::Error| error.message().to_owned())
}

const AFTER_HELP: &str = "\
Examples:
  acore --mock ws-url
  acore ws-url --arn \"$ARN\" --sigv4 --expires 60 --param room=blue";
