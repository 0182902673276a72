//! `acore ws-headers`: what opens the agent's WebSocket from another program, or from a browser.

use std::collections::BTreeMap;

use agentcore_client::SessionId;
use clap::{ArgMatches, Args};
use serde_json::{Value, json};

use crate::{output::Output, report::Failure, session, target::Plan};

/// Prints as JSON the URL and the headers that open the agent's WebSocket; keep them secret
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Flags {
    #[command(flatten)]
    session: session::Flags,
    /// Prints what a browser needs in their place: the URL and the subprotocols, which hold the token
    #[arg(long)]
    subprotocol: bool,
}

/// What to print, judged.
pub(super) struct Headers {
    session: Option<SessionId>,
    subprotocol: bool,
}

impl Headers {
    /// Judges the flags.
    pub(super) fn new(flags: Flags, matches: &ArgMatches) -> Result<Self, Failure> {
        Ok(Self { session: flags.session.choice(matches)?, subprotocol: flags.subprotocol })
    }

    /// Authenticates and prints it.
    pub(super) async fn run(self, plan: Plan) -> Result<(), Failure> {
        let plan = plan.with_token_read().await?;
        let reached = plan.reach(|client| client).await?;
        let explained = |error| Failure::of_call(error, reached.way);
        let mut opening = reached.runtime.websocket();
        if let Some(session) = &self.session {
            opening = opening.session(session);
        }
        let printed = if self.subprotocol {
            let browser = opening.subprotocol().await.map_err(explained)?;
            json!({ "url": browser.url(), "protocols": browser.protocols() })
        } else {
            let handshake = opening.handshake().await.map_err(explained)?;
            let headers = handshake.headers.iter().map(|(name, value)| match value.to_str() {
                Ok(value) => Ok((canonical(name.as_str()), Value::from(value))),
                Err(error) => Err(Failure::trouble("a header is not text").caused_by(&error)),
            });
            let headers: BTreeMap<String, Value> = headers.collect::<Result<_, _>>()?;
            json!({ "url": handshake.uri.to_string(), "headers": headers })
        };
        Output::default().line(&printed.to_string())
    }
}

/// `x-amz-date` as people write it, `X-Amz-Date`; servers do not mind (RFC 9110 §5.1).
fn canonical(name: &str) -> String {
    let parts: Vec<String> = name
        .split('-')
        .map(|part| match part.split_at_checked(1) {
            _ if part == "agentcore" => "AgentCore".to_owned(),
            Some((first, rest)) => first.to_ascii_uppercase() + rest,
            None => String::new(),
        })
        .collect();
    parts.join("-")
}

const AFTER_HELP: &str = "\
Examples:
  acore --mock ws-headers
  acore ws-headers --arn \"$ARN\" --sigv4
  acore ws-headers --arn \"$ARN\" --bearer-token \"$TOKEN\" --subprotocol";

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn names_as_people_write_them() {
        for (name, written) in [
            ("authorization", "Authorization"),
            ("x-amz-date", "X-Amz-Date"),
            ("x-amzn-bedrock-agentcore-runtime-session-id", "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id"),
        ] {
            assert_eq!(canonical(name), written);
        }
    }
}
