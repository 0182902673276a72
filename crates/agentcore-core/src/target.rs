//! A runtime and the way to it: what every request is aimed at, and the URLs of its operations. Builds text only.

use std::fmt::Write as _;

use crate::{
    Endpoint, Endpoints, InputKind, ParseError, Qualifier, Region, RuntimeArn, ShellId, endpoint::Base, percent_encode,
};

/// What a request is aimed at: an agent runtime at an endpoint, or an agent container on a developer's machine.
///
/// The URLs follow the service model: the ARN stands percent-encoded whole in one path segment, and no qualifier means
/// the runtime's `DEFAULT` endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(Place);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Runtime { endpoint: Endpoint, arn: RuntimeArn, qualifier: Option<Qualifier>, by_account: bool },
    Local(Base),
}

impl Target {
    /// A runtime at the service's own endpoint in the ARN's region, at the ARN's qualifier if it has one.
    #[must_use]
    pub fn new(arn: RuntimeArn) -> Self {
        Self::at(Endpoints::default().resolve(arn.region()), arn)
    }

    /// A runtime at an endpoint of the caller's choice.
    #[must_use]
    pub fn at(endpoint: Endpoint, arn: RuntimeArn) -> Self {
        let qualifier = arn.qualifier().cloned();
        Self(Place::Runtime { endpoint, arn, qualifier, by_account: false })
    }

    /// An agent container on a developer's machine, such as `http://127.0.0.1:8080`: no ARN, no credentials.
    ///
    /// Plaintext is accepted to any host, because nothing secret is sent.
    ///
    /// # Errors
    /// If the URL is not `http://` or `https://`, or carries user info, a query or a fragment.
    pub fn local(url: &str) -> Result<Self, ParseError> {
        Ok(Self(Place::Local(Base::parse(url)?)))
    }

    /// Uses another endpoint name than the ARN's. No effect on a local container, which has none.
    #[must_use]
    pub fn with_qualifier(mut self, name: Qualifier) -> Self {
        if let Place::Runtime { qualifier, .. } = &mut self.0 {
            *qualifier = Some(name);
        }
        self
    }

    /// Names the runtime by its bare id and the query parameter `accountId` in the place of its ARN.
    ///
    /// Both forms reach the same runtime; this one keeps the path short. No effect on a local container.
    #[must_use]
    pub fn by_account(mut self) -> Self {
        if let Place::Runtime { by_account, .. } = &mut self.0 {
            *by_account = true;
        }
        self
    }

    /// Makes sure that the runtime is in this region, for callers who may use no other. The ARN's region is where requests
    /// go and what they are signed for; this changes neither. No effect on a local container, which has none.
    ///
    /// # Errors
    /// If the ARN names another region.
    pub fn in_region(self, region: &Region) -> Result<Self, ParseError> {
        match self.region() {
            Some(named) if named != region => {
                let rule = format!("the ARN is of a runtime in {named}, and the ARN decides");
                Err(ParseError::new(InputKind::Region, region.as_str(), rule))
            }
            _ => Ok(self),
        }
    }

    /// The runtime's ARN; none for a local container.
    #[must_use]
    pub fn arn(&self) -> Option<&RuntimeArn> {
        match &self.0 {
            Place::Runtime { arn, .. } => Some(arn),
            Place::Local(_) => None,
        }
    }

    /// Whether this is a local container, to which no credential is ever sent.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self.0, Place::Local(_))
    }

    /// The region requests are signed for; none for a local container.
    #[must_use]
    pub fn region(&self) -> Option<&Region> {
        self.arn().map(RuntimeArn::region)
    }

    /// The endpoint name in use, if one was given.
    #[must_use]
    pub fn qualifier(&self) -> Option<&Qualifier> {
        match &self.0 {
            Place::Runtime { qualifier, .. } => qualifier.as_ref(),
            Place::Local(_) => None,
        }
    }

    /// Where to `POST` an invocation.
    #[must_use]
    pub fn invocations(&self) -> String {
        self.url("http", "/invocations")
    }

    /// Where to open a WebSocket: `wss://`, or `ws://` where the endpoint is plaintext.
    #[must_use]
    pub fn websocket(&self) -> String {
        self.url("ws", "/ws")
    }

    /// Where an agent that speaks A2A publishes its card.
    #[must_use]
    pub fn agent_card(&self) -> String {
        match &self.0 {
            Place::Runtime { .. } => self.url("http", "/invocations/.well-known/agent-card.json"),
            Place::Local(_) => self.url("http", "/.well-known/agent-card.json"),
        }
    }

    /// Where to open a shell: a new one, or the one with this id.
    ///
    /// # Errors
    /// If the target is a local container.
    pub fn shells(&self, shell: Option<&ShellId>) -> Result<String, NotOffered> {
        let mut url = self.of_runtime(Operation::Shell, "ws", "/ws/shells")?;
        if let Some(shell) = shell {
            let separator = if url.contains('?') { '&' } else { '?' };
            // Writing to a `String` cannot fail.
            let _ = write!(url, "{separator}shellId={}", percent_encode(shell.as_str()));
        }
        Ok(url)
    }

    /// Where to `POST` a command.
    ///
    /// # Errors
    /// If the target is a local container.
    pub fn commands(&self) -> Result<String, NotOffered> {
        self.of_runtime(Operation::Command, "http", "/commands")
    }

    /// Where to `POST` the end of a session.
    ///
    /// # Errors
    /// If the target is a local container.
    pub fn stop(&self) -> Result<String, NotOffered> {
        self.of_runtime(Operation::Stop, "http", "/stopruntimesession")
    }

    /// Where a runtime that takes bearer tokens says which issuer it trusts (RFC 9728).
    ///
    /// # Errors
    /// If the target is a local container.
    pub fn resource_metadata(&self) -> Result<String, NotOffered> {
        let path = "/invocations/.well-known/oauth-protected-resource";
        self.of_runtime(Operation::ResourceMetadata, "http", path)
    }

    /// Where a local container says whether it is well.
    ///
    /// # Errors
    /// If the target is a runtime: the service keeps its containers' health to itself.
    pub fn ping(&self) -> Result<String, NotOffered> {
        match &self.0 {
            Place::Local(_) => Ok(self.url("http", "/ping")),
            Place::Runtime { .. } => Err(NotOffered { operation: Operation::Ping }),
        }
    }

    fn of_runtime(&self, operation: Operation, family: &str, path: &str) -> Result<String, NotOffered> {
        match &self.0 {
            Place::Runtime { .. } => Ok(self.url(family, path)),
            Place::Local(_) => Err(NotOffered { operation }),
        }
    }

    fn url(&self, family: &str, path: &str) -> String {
        match &self.0 {
            Place::Local(base) => base.url(family) + path,
            Place::Runtime { endpoint, arn, qualifier, by_account } => {
                let name = if *by_account { arn.id() } else { arn.as_str() };
                let mut url = format!("{}/runtimes/{}{path}", endpoint.base().url(family), percent_encode(name));
                let qualifier = qualifier.as_ref().map(|q| ("qualifier", q.as_str()));
                let account = by_account.then(|| ("accountId", arn.account()));
                for ((key, value), separator) in qualifier.into_iter().chain(account).zip(['?', '&']) {
                    // Writing to a `String` cannot fail.
                    let _ = write!(url, "{separator}{key}={}", percent_encode(value));
                }
                url
            }
        }
    }
}

/// Says that a target has no such operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} offers no {}", .operation.refused_by(), .operation.name())]
#[non_exhaustive]
pub struct NotOffered {
    /// What was asked for.
    pub operation: Operation,
}

/// The operations that only some targets have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Opening a shell.
    Shell,
    /// Running a command.
    Command,
    /// Stopping a session.
    Stop,
    /// Reading the protected-resource metadata.
    ResourceMetadata,
    /// Asking for health.
    Ping,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Command => "commands",
            Self::Stop => "stopping of sessions",
            Self::ResourceMetadata => "resource metadata",
            Self::Ping => "ping",
        }
    }

    fn refused_by(self) -> &'static str {
        if self == Self::Ping { "a runtime behind the service" } else { "a local container" }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const HOST: &str = "bedrock-agentcore.us-east-1.amazonaws.com";
    const PATH: &str = "/runtimes/arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Fx";

    fn target() -> Target {
        Target::new("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x".parse().unwrap())
    }

    #[test]
    fn urls_of_every_operation() {
        let shell = "sh_1".parse().unwrap();
        let qualified = target().with_qualifier("my endpoint".parse().unwrap());
        for (url, scheme, rest) in [
            (target().invocations(), "https", "/invocations"),
            (target().websocket(), "wss", "/ws"),
            (target().shells(None).unwrap(), "wss", "/ws/shells"),
            (target().shells(Some(&shell)).unwrap(), "wss", "/ws/shells?shellId=sh_1"),
            (target().commands().unwrap(), "https", "/commands"),
            (target().stop().unwrap(), "https", "/stopruntimesession"),
            (target().agent_card(), "https", "/invocations/.well-known/agent-card.json"),
            (target().resource_metadata().unwrap(), "https", "/invocations/.well-known/oauth-protected-resource"),
            (qualified.invocations(), "https", "/invocations?qualifier=my%20endpoint"),
            (qualified.websocket(), "wss", "/ws?qualifier=my%20endpoint"),
            (qualified.shells(Some(&shell)).unwrap(), "wss", "/ws/shells?qualifier=my%20endpoint&shellId=sh_1"),
        ] {
            assert_eq!(url, format!("{scheme}://{HOST}{PATH}{rest}"));
        }
        assert_eq!(target().ping().unwrap_err().to_string(), "a runtime behind the service offers no ping");
    }

    #[test]
    fn account_form() {
        let by_account = target().by_account();
        assert_eq!(by_account.invocations(), format!("https://{HOST}/runtimes/x/invocations?accountId=123456789012"));
        assert_eq!(
            by_account.with_qualifier("q".parse().unwrap()).stop().unwrap(),
            format!("https://{HOST}/runtimes/x/stopruntimesession?qualifier=q&accountId=123456789012")
        );
    }

    #[test]
    fn an_endpoint_arn_sets_the_qualifier_and_may_be_overridden() {
        let arn: RuntimeArn =
            "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x/runtime-endpoint/prod".parse().unwrap();
        let target = Target::new(arn);
        assert_eq!(target.invocations(), format!("https://{HOST}{PATH}/invocations?qualifier=prod"));
        let target = target.with_qualifier("test".parse().unwrap());
        assert_eq!(target.invocations(), format!("https://{HOST}{PATH}/invocations?qualifier=test"));
    }

    #[test]
    fn the_arn_decides_on_the_region() {
        let (here, elsewhere) = ("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        assert_eq!(target().in_region(&here).unwrap(), target());
        assert_eq!(
            target().in_region(&elsewhere).unwrap_err().to_string(),
            "invalid region \"us-west-2\": the ARN is of a runtime in us-east-1, and the ARN decides"
        );
        let local = Target::local("http://127.0.0.1:8080").unwrap();
        assert_eq!(local.clone().in_region(&elsewhere).unwrap(), local);
    }

    #[test]
    fn another_endpoint() {
        let arn: RuntimeArn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x".parse().unwrap();
        let at = |url: &str| Target::at(url.parse().unwrap(), arn.clone());
        assert_eq!(
            at("https://gw.example.test:8443/base/path").invocations(),
            format!("https://gw.example.test:8443/base/path{PATH}/invocations")
        );
        assert_eq!(at("http://127.0.0.1:18099").websocket(), format!("ws://127.0.0.1:18099{PATH}/ws"));
    }

    #[test]
    fn local_container() {
        let local = Target::local("http://agent:8080/").unwrap();
        assert_eq!(local.invocations(), "http://agent:8080/invocations");
        assert_eq!(local.websocket(), "ws://agent:8080/ws");
        assert_eq!(local.ping().unwrap(), "http://agent:8080/ping");
        assert_eq!(local.agent_card(), "http://agent:8080/.well-known/agent-card.json");
        assert_eq!(local.clone().with_qualifier("q".parse().unwrap()).by_account(), local);
        assert_eq!(local.commands().unwrap_err().to_string(), "a local container offers no commands");
        assert!(local.shells(None).is_err() && local.stop().is_err() && local.resource_metadata().is_err());
        assert!(Target::local("agent:8080").is_err());
    }
}
