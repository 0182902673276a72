//! A running mock: where it is, whose requests it takes, and what it has seen.

use std::{fmt, sync::Arc};

use agentcore_core::RuntimeArn;
use serde_json::{Map, Value};

use crate::{
    ACCOUNT, AgentInfo, Builder, Credentials, REGION, RecordedRequest, UserPool, identity::CLIENT_ID, runtime::Runtime,
    server::Server,
};

/// A running AgentCore Runtime on loopback; dropping it closes its port and its connections.
pub struct Mock {
    pub(crate) url: String,
    pub(crate) root_certificate_pem: Option<String>,
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) server: Server,
}

impl Mock {
    /// Sets a mock up: plaintext HTTP on a free port, a JWT or a SigV4 signature welcome, nothing slowed down.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// The endpoint's URL, `http://127.0.0.1:PORT`, with `https` where TLS is on, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The ARN of an agent's runtime, in the mock's account `123456789012` and region `us-east-1`.
    ///
    /// Whether there is such an agent is seen when it is invoked: an unknown one answers 404.
    ///
    /// # Panics
    /// If the name is empty or holds a control character.
    #[must_use]
    pub fn arn(&self, agent: &str) -> RuntimeArn {
        let text = format!("arn:aws:bedrock-agentcore:{REGION}:{ACCOUNT}:runtime/{agent}");
        match text.parse() {
            Ok(arn) => arn,
            Err(error) => panic!("{error}"),
        }
    }

    /// The agents there are, with what each does.
    #[must_use]
    pub fn agents(&self) -> Vec<AgentInfo> {
        self.runtime.agents.list()
    }

    /// The client that the runtimes allow, by a token's `client_id` or `aud`.
    #[must_use]
    pub fn client_id(&self) -> &str {
        CLIENT_ID
    }

    /// The secret of that client at the token endpoint, random for each mock.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        &self.runtime.token_endpoint.client_secret
    }

    /// The user pool whose tokens the runtimes accept.
    #[must_use]
    pub fn cognito(&self) -> UserPool<'_> {
        UserPool(&self.runtime)
    }

    /// An access token as Amazon Cognito issues one: RS256, good for an hour from now by the mock's clock.
    ///
    /// # Panics
    /// If the cryptography library fails to sign, which no claims bring about.
    #[must_use]
    pub fn token(&self) -> String {
        self.token_with(|_| {})
    }

    /// An access token whose claims were changed before it was signed: expired, of another client, of another issuer.
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
    /// If the cryptography library fails to sign, which no claims bring about.
    #[must_use]
    pub fn token_with(&self, change: impl FnOnce(&mut Map<String, Value>)) -> String {
        let mut claims = self.runtime.issuer.claims((self.runtime.clock)());
        change(&mut claims);
        match self.runtime.issuer.sign(&claims) {
            Ok(token) => token,
            Err(error) => panic!("{error}"),
        }
    }

    /// The AWS credentials the mock accepts: random temporary ones, unless the builder was given others.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.runtime.credentials
    }

    /// The root certificate to trust, in PEM, where TLS is on.
    #[must_use]
    pub fn root_certificate_pem(&self) -> Option<&str> {
        self.root_certificate_pem.as_deref()
    }

    /// Every request so far, refused ones included, oldest first.
    ///
    /// They are kept with their bodies until they are [taken](Self::take_requests): the latest 10,000 of them, and no more than
    /// 512 MiB of bodies.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.runtime.log.snapshot()
    }

    /// Every request since the last time they were taken.
    #[must_use]
    pub fn take_requests(&self) -> Vec<RecordedRequest> {
        self.runtime.log.take()
    }

    /// How many TCP connections were accepted so far, by which a test sees that they are reused.
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
