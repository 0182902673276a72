//! `acore ws-url`: a presigned URL, for whoever can be given a URL and nothing else.

use agentcore_client::ws::Expiry;
use clap::Args;

use crate::{
    context::Context,
    errors::Failure,
    flags::{ParamFlags, SessionFlags},
    output::Output,
};

/// Prints a presigned wss:// URL; keep it secret
///
/// Until it expires it opens the agent's WebSocket by itself, for whoever has it.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct WsUrlFlags {
    #[command(flatten)]
    session: SessionFlags,
    #[command(flatten)]
    params: ParamFlags,
    /// Seconds that the URL can be used, 1 to 300
    #[arg(long, value_name = "SECS", default_value = "300")]
    expires: Expiry,
}

impl WsUrlFlags {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let session = self.session.session()?;
        let agent = context.signed_route()?.connect(|client| client).await?;
        let signer = agent.signer().ok_or_else(|| Failure::usage("a presigned URL needs AWS credentials"))?;
        let request = self.params.apply(agent.runtime.websocket().session(&session))?;
        let url = request.presign_with(signer, self.expires).await.map_err(|error| agent.failure(error))?;
        Output::default().line(url.expose())
    }
}

const AFTER_HELP: &str = "\
It is signed with AWS credentials, whether --sigv4 is given or not. For whoever has a token, `acore ws-headers --subprotocol` prints what \
a browser needs.

Examples:
  acore --mock ws-url
  acore ws-url --arn \"$ARN\" --profile prod --expires 60 --param room=blue";
