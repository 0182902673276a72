//! `acore mock`: the mock server in the foreground, with all that is needed to reach it, fit to be copied.

use std::{fmt::Write as _, io::Write as _, path::PathBuf, time::Duration};

use agentcore_mock::{AnsweredRequest, Caller, Mock, MockBuilder};
use clap::Args;

use crate::{
    context::{mock, start_mock},
    errors::{Failure, one_line},
    output::Output,
};

/// Runs a mock of the service in the foreground
///
/// It is for trying things out, and for tests.
#[derive(Args)]
#[command(after_help = "\
The first line is `ready URL`. The lines that begin with `export` are for a shell. A request is a line on standard error: method, operation, \
agent, caller, status and milliseconds.

Examples:
  acore mock --port 8080
  acore mock > mock.txt & until grep -q ^ready mock.txt; do :; done
  eval \"$(grep ^export mock.txt)\"; acore invoke \"Tell me a story\"")]
pub(super) struct MockFlags {
    /// The port on 127.0.0.1 [default: any free one]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Serves TLS, and writes to this file the certificate authority to trust (`SSL_CERT_FILE`)
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// The most streams of an HTTP/2 connection at once
    #[arg(long, value_name = "N", default_value_t = 200)]
    http2_streams: u32,
    /// A further endpoint of every agent, beside DEFAULT; may be repeated
    #[arg(long = "endpoint", value_name = "NAME")]
    endpoints: Vec<String>,
    /// Answers 429 beyond so many new sessions within a second, as the service does beyond 25 [default: no limit]
    #[arg(long, value_name = "N")]
    new_sessions_per_second: Option<u32>,
    /// Runs commands (`acore exec`) on this machine, for whoever has the mock's credentials; without it they are refused
    #[arg(long)]
    allow_commands: bool,
    /// Milliseconds between the words of a story [default: 40]
    #[arg(long, value_name = "MS")]
    pace: Option<u64>,
}

impl MockFlags {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let settings = mock().port(self.port).tls(self.tls_ca.is_some()).allow_commands(self.allow_commands);
        let settings =
            settings.max_http2_streams(self.http2_streams).max_new_sessions_per_second(self.new_sessions_per_second);
        let settings = self.pace.into_iter().map(Duration::from_millis).fold(settings, MockBuilder::pace);
        let settings = settings.observer(log);
        let mock = start_mock(self.endpoints.into_iter().fold(settings, MockBuilder::endpoint)).await?;
        if let Some((file, root)) = self.tls_ca.as_ref().zip(mock.root_certificate_pem()) {
            let written = std::fs::write(file, root);
            let refuse = |error| Failure::usage(format!("cannot write {}", file.display())).caused_by(&error);
            written.map_err(refuse)?;
        }
        let mut output = Output::default();
        output.line(&format!("ready {}", mock.url()))?;
        if let Some(file) = &self.tls_ca {
            output.line(&format!("\nThe certificate authority to trust:\nexport SSL_CERT_FILE={}", file.display()))?;
        }
        output.write(guide(&mock).as_bytes())?;
        std::future::pending().await
    }
}

/// Writes a line about a request beside the output.
fn log(request: &AnsweredRequest) {
    let agent = request.agent.as_deref().unwrap_or("-");
    let who = match &request.caller {
        Some(Caller::Jwt { subject, .. }) => subject,
        Some(Caller::SigV4 { access_key_id, .. }) => access_key_id,
        _ => "-",
    };
    // The last part of the path says what is asked; the rest names the agent again.
    let what = request.path.rsplit('/').next().unwrap_or_default();
    let line =
        format!("{} {what} {agent} {who} {} {} ms", request.method, request.status, request.duration.as_millis());
    // There is nobody to tell that standard error is gone.
    let _ = writeln!(std::io::stderr(), "{}", one_line(&line));
}

/// Says how to reach the agents: as a table, and as lines that a shell can evaluate.
fn guide(mock: &Mock) -> String {
    let agents = mock.agents();
    let width = agents.iter().map(|agent| agent.name.len()).max().unwrap_or_default();
    let mut text = String::from("\nAgents, by the last part of the ARN:\n");
    // Writing to a `String` cannot fail.
    for agent in &agents {
        let _ = writeln!(text, "  {:width$}  {}", agent.name, agent.description);
    }
    let url = mock.url();
    let _ = write!(
        text,
        "\nAs in a local container, without credentials, there is `echo`: acore --local {url}\n\
         \nWhere the service is, and the agent `story`:\n\
         export AWS_ENDPOINT_URL_BEDROCK_AGENTCORE={url}\n\
         export AGENTCORE_RUNTIME_ARN={arn}\n\
         \nWho you are, by a token that is good for an hour:\n\
         export AGENTCORE_BEARER_TOKEN={token}\n\
         \nOr by AWS credentials, with --sigv4:\n",
        arn = mock.arn("story"),
        token = mock.token(),
    );
    let keys = mock.credentials();
    let session_token = keys.session_token().map(|token| ("AWS_SESSION_TOKEN", token));
    let named = [("AWS_ACCESS_KEY_ID", keys.access_key_id()), ("AWS_SECRET_ACCESS_KEY", keys.secret_access_key())];
    for (name, value) in named.into_iter().chain(session_token) {
        let _ = writeln!(text, "export {name}={value}");
    }
    let (pool, user) = (mock.cognito(), mock.cognito().user());
    let (client, secret) = (pool.client_id(), pool.client_secret());
    if cfg!(feature = "cognito") {
        let _ = write!(
            text,
            "\nOr as a Cognito user, who can `acore login` too:\n  \
             AGENTCORE_COGNITO_CLIENT_SECRET='{secret}' AGENTCORE_COGNITO_PASSWORD='{password}' acore invoke \
             --cognito-endpoint-url {url} --cognito-pool-id {id} --cognito-client-id {client} \
             --cognito-username {name} hello\n",
            password = user.password(),
            id = pool.id(),
            name = user.alias(),
        );
    }
    let _ = write!(
        text,
        "\nOr as a machine:\n  \
         AGENTCORE_OAUTH_CLIENT_SECRET='{secret}' acore invoke --oauth-issuer {url} --oauth-client-id {client} hello\n",
    );
    text
}
