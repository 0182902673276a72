//! `acore ws-headers`: what opens the agent's WebSocket from another program, or from a browser.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::json;

use crate::{
    context::Context,
    errors::Failure,
    flags::{ParamFlags, SessionFlags},
    output::Output,
};

/// Prints URL and headers that open a WebSocket; keep them secret
///
/// They are one object of JSON, for another program or a browser.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct WsHeadersFlags {
    #[command(flatten)]
    session: SessionFlags,
    #[command(flatten)]
    params: ParamFlags,
    /// Prints what a browser needs in their place: the URL and the subprotocols, which hold the token
    #[arg(long)]
    subprotocol: bool,
}

impl WsHeadersFlags {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let session = self.session.session()?;
        let agent = context.route()?.connect(|client| client).await?;
        let request = self.params.apply(agent.runtime.websocket().session(&session))?;
        let printed = if self.subprotocol {
            let browser = request.subprotocol().await.map_err(|error| agent.failure(error))?;
            json!({ "url": browser.url(), "protocols": browser.protocols() })
        } else {
            let handshake = request.handshake().await.map_err(|error| agent.failure(error))?;
            let mut headers = BTreeMap::new();
            for (name, value) in &handshake.headers {
                let value =
                    value.to_str().map_err(|error| Failure::internal("a header is not text").caused_by(&error))?;
                headers.insert(canonical(name.as_str()), value);
            }
            json!({ "url": handshake.uri.to_string(), "headers": headers })
        };
        Output::default().object(&printed)
    }
}

/// Writes `x-amz-date` as people do, `X-Amz-Date`; servers do not mind (RFC 9110 §5.1).
fn canonical(name: &str) -> String {
    let parts = name.split('-').map(|part| match part.split_at_checked(1) {
        _ if part == "agentcore" => "AgentCore".to_owned(),
        Some((first, rest)) => first.to_ascii_uppercase() + rest,
        None => String::new(),
    });
    parts.collect::<Vec<_>>().join("-")
}

const AFTER_HELP: &str = "\
Examples:
  acore --mock ws-headers
  acore ws-headers --arn \"$ARN\" --sigv4
  acore ws-headers --arn \"$ARN\" --bearer-token \"$TOKEN\" --subprotocol

aiohttp takes the URL as yarl.URL(url, encoded=True); as a string it decodes what was signed.";

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
