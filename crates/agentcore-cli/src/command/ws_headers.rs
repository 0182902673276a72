//! `acore ws-headers`: what opens the agent's WebSocket from another program, or from a browser.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value, json};

use crate::{context::Context, errors::Failure, flags::SessionFlags, output::Output};

/// Prints as JSON the URL and the headers that open the agent's WebSocket; keep them secret
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct WsHeadersFlags {
    #[command(flatten)]
    session: SessionFlags,
    /// Prints what a browser needs in their place: the URL and the subprotocols, which hold the token
    #[arg(long)]
    subprotocol: bool,
}

impl WsHeadersFlags {
    /// Authenticates and prints what opens the socket.
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let session = self.session.session()?;
        let agent = context.route()?.connect(|client| client).await?;
        let request = agent.runtime.websocket().session(&session);
        let printed = if self.subprotocol {
            let browser = request.subprotocol().await.map_err(|error| agent.failure(error))?;
            json!({ "url": browser.url(), "protocols": browser.protocols() })
        } else {
            let handshake = request.handshake().await.map_err(|error| agent.failure(error))?;
            let headers = handshake.headers.iter().map(|(name, value)| match value.to_str() {
                Ok(value) => Ok((canonical(name.as_str()), Value::from(value))),
                Err(error) => Err(Failure::internal("a header is not text").caused_by(&error)),
            });
            let headers: BTreeMap<String, Value> = headers.collect::<Result<_, _>>()?;
            json!({ "url": handshake.uri.to_string(), "headers": headers })
        };
        Output::default().json(&printed)
    }
}

/// Writes `x-amz-date` as people do, `X-Amz-Date`; servers do not mind (RFC 9110 §5.1).
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
