//! `acore ws-url`: a presigned URL, for whoever can be given a URL and nothing else.

use agentcore_client::ws::Expiry;
use clap::Args;

use crate::{context::Context, errors::Failure, flags::SessionFlags, output::Output};

/// Prints a presigned wss:// URL; keep it secret
///
/// Until it expires it opens the agent's WebSocket by itself, for whoever has it.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct WsUrlFlags {
    #[command(flatten)]
    session: SessionFlags,
    /// A query parameter of your own; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,
    /// Seconds that the URL can be used, 1 to 300
    #[arg(long, value_name = "SECS", default_value = "300")]
    expires: Expiry,
}

impl WsUrlFlags {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let session = self.session.session()?;
        let params: Vec<_> = self.params.iter().map(|param| name_and_value(param)).collect::<Result<_, _>>()?;
        let agent = context.signed_route()?.connect(|client| client).await?;
        let signer = agent.signer().ok_or_else(|| Failure::usage("a presigned URL needs AWS credentials"))?;
        let mut request = agent.runtime.websocket().session(&session);
        for (name, value) in params {
            request = request.param(name, value)?;
        }
        let url = request.presign_with(signer, self.expires).await.map_err(|error| agent.failure(error))?;
        Output::default().line(url.expose())
    }
}

fn name_and_value(param: &str) -> Result<(&str, &str), Failure> {
    param
        .split_once('=')
        .ok_or_else(|| Failure::usage(format!("--param {param:?} has no value: it must look like NAME=VALUE")))
}

const AFTER_HELP: &str = "\
It is signed with AWS credentials, whether --sigv4 is given or not. For whoever has a token, `acore ws-headers --subprotocol` prints what \
a browser needs.

Examples:
  acore --mock ws-url
  acore ws-url --arn \"$ARN\" --profile prod --expires 60 --param room=blue";
