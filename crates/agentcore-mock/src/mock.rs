//! A running mock: its URL, its credentials, and the requests that it received. Starts none.

use std::{fmt, sync::Arc};

use agentcore_core::Arn;
use serde_json::{Map, Value};

use crate::{
    agents::AgentInfo,
    identity::{TOKEN_LIFETIME, UserPool},
    record::RecordedRequest,
    runtime::{ACCOUNT, REGION, RuntimeState},
    server::Server,
    verify::Credentials,
};

/// A running AgentCore Runtime on loopback; dropping it closes its port and its connections.
pub struct Mock {
    pub(crate) url: String,
    pub(crate) root_certificate_pem: Option<String>,
    pub(crate) runtime: Arc<RuntimeState>,
    pub(crate) server: Server,
}

impl Mock {
    /// Returns the endpoint's URL, `http://127.0.0.1:PORT`, with `https` where TLS is on, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the ARN of an agent's runtime, in the mock's account `123456789012` and region `us-east-1`.
    ///
    /// Does not look for the agent: an invocation of an unknown one answers 404, and one of a name that is no runtime id
    /// answers 400.
    ///
    /// # Panics
    /// If the name cannot be part of an ARN.
    #[must_use]
    pub fn arn(&self, agent: &str) -> Arn {
        let text = format!("arn:aws:bedrock-agentcore:{REGION}:{ACCOUNT}:runtime/{agent}");
        match text.parse() {
            Ok(arn) => arn,
            Err(error) => panic!("{error}"),
        }
    }

    /// Returns the ARN of an agent as a harness, in the same account and region.
    ///
    /// # Panics
    /// If the name cannot be part of an ARN.
    #[must_use]
    pub fn harness_arn(&self, agent: &str) -> Arn {
        let text = format!("arn:aws:bedrock-agentcore:{REGION}:{ACCOUNT}:harness/{agent}");
        match text.parse() {
            Ok(arn) => arn,
            Err(error) => panic!("{error}"),
        }
    }

    /// Closes the connections of all shells by this code, or cuts them off without one; the shells live on.
    #[cfg(unix)]
    pub fn close_shells(&self, code: Option<u16>) {
        self.runtime.shells.close(code);
    }

    /// Returns how many shells live, detached ones included.
    #[cfg(unix)]
    #[must_use]
    pub fn shells(&self) -> usize {
        self.runtime.shells.count()
    }

    /// Lists the agents, the custom ones last.
    #[must_use]
    pub fn agents(&self) -> Vec<AgentInfo> {
        self.runtime.agents.list()
    }

    /// Returns the id of the client that the runtimes allow, by a token's `client_id` or `aud`.
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.runtime.user_pool.client_id()
    }

    /// Returns that client's secret, random for each mock.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        self.runtime.user_pool.client_secret()
    }

    /// Returns the user pool, whose tokens the runtimes accept.
    #[must_use]
    pub fn cognito(&self) -> &UserPool {
        &self.runtime.user_pool
    }

    /// Issues an access token as Amazon Cognito does: RS256, valid for an hour from now by the mock's clock.
    ///
    /// # Panics
    /// If the cryptography library fails to sign, which no claims can cause.
    #[must_use]
    pub fn token(&self) -> String {
        self.token_with(|_| {})
    }

    /// Issues an access token with changed claims, such as an expired one or one of another client or issuer.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), agentcore_mock::Error> {
    /// # let mock = agentcore_mock::Mock::builder().start().await?;
    /// let expired = mock.token_with(|claims| {
    ///     claims.insert("exp".into(), 1_700_000_000.into());
    /// });
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    /// If the cryptography library fails to sign, which no claims can cause.
    #[must_use]
    pub fn token_with(&self, change: impl FnOnce(&mut Map<String, Value>)) -> String {
        let issuer = &self.runtime.user_pool.issuer;
        let mut claims = issuer.claims((self.runtime.clock)(), TOKEN_LIFETIME);
        change(&mut claims);
        match issuer.sign(&claims) {
            Ok(token) => token,
            Err(error) => panic!("{error}"),
        }
    }

    /// Returns the AWS credentials that the mock accepts: random temporary ones, unless the builder has others.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.runtime.credentials
    }

    /// Returns the root certificate to trust, in PEM, if TLS is on.
    #[must_use]
    pub fn root_certificate_pem(&self) -> Option<&str> {
        self.root_certificate_pem.as_deref()
    }

    /// Makes the local container busy or idle, as which `GET /ping` reports it since the last change. Default: idle.
    ///
    /// The service keeps a busy container beyond its idle timeout.
    pub fn set_busy(&self, busy: bool) {
        self.runtime.set_busy(busy);
    }

    /// Returns every request so far, refused ones included, oldest first.
    ///
    /// Keeps them with their bodies until they are [taken](Self::take_requests): the latest 10,000, and no more than 512 MiB
    /// of bodies.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.runtime.log.snapshot()
    }

    /// Removes and returns every request since the last call.
    #[must_use]
    pub fn take_requests(&self) -> Vec<RecordedRequest> {
        self.runtime.log.take()
    }

    /// Returns the number of TCP connections accepted so far, which shows whether a client reuses them.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.server.accepted()
    }
}

impl fmt::Debug for Mock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mock").field("url", &self.url).finish_non_exhaustive()
    }
}
