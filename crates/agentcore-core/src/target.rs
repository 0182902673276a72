//! The target of requests: a runtime or harness at an endpoint, behind a gateway, or a local container. Builds URLs, opens no
//! connection.

use std::{
    fmt::{self, Write as _},
    ptr,
    sync::{Arc, OnceLock},
};

use http::Uri;

use crate::{
    Arn, Endpoint, Endpoints, Error, InputKind, Operation, Qualifier, Region, ResourceType,
    endpoint::BaseUrl,
    operation::{self, ARN_PATH, QueryMember},
    percent_encode,
};

/// The target of requests: a runtime or a harness at an endpoint or behind a gateway, or an agent container on a developer's
/// machine.
///
/// The URLs follow the service model: one path segment holds the ARN, percent-encoded, and without a qualifier the runtime's
/// `DEFAULT` endpoint answers. Each URL is built once; clones share it.
///
/// ```
/// use agentcore_core::{Arn, Target, operation};
///
/// let arn: Arn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my-agent".parse()?;
/// assert_eq!(
///     Target::new(arn).url(&operation::INVOKE)?,
///     "https://bedrock-agentcore.us-east-1.amazonaws.com/runtimes/\
///      arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Fmy-agent/invocations",
/// );
/// # Ok::<(), agentcore_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Target(Arc<Inner>);

struct Inner {
    address: Address,
    /// One for each operation, in the order of [`operation::ALL`].
    urls: [OnceLock<Uri>; operation::ALL.len()],
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Address {
    Service(Service),
    Local(BaseUrl),
}

/// A resource of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Service {
    endpoint: Endpoint,
    /// The name of the gateway's target, if the resource is behind a gateway.
    gateway_target: Option<String>,
    /// None if the gateway's target is enough.
    arn: Option<Arn>,
    region: Region,
    qualifier: Option<Qualifier>,
    by_account: bool,
}

impl Target {
    /// Returns the target of an ARN at the service's endpoint in the ARN's region, with the ARN's qualifier if it has one.
    #[must_use]
    pub fn new(arn: Arn) -> Self {
        Self::at(Endpoints::default().resolve(arn.region()), arn)
    }

    /// Returns the target of an ARN at another endpoint.
    #[must_use]
    pub fn at(endpoint: Endpoint, arn: Arn) -> Self {
        let (region, qualifier) = (arn.region().clone(), arn.qualifier().cloned());
        let service = Service { endpoint, gateway_target: None, arn: Some(arn), region, qualifier, by_account: false };
        Self::of(Address::Service(service))
    }

    /// Returns a target behind an AgentCore gateway, such as
    /// `https://my-gateway.gateway.bedrock-agentcore.us-east-1.amazonaws.com`. Requests are signed for the gateway's region. Paths
    /// begin with the name of the gateway's target; [`with_arn`](Self::with_arn) adds the runtime's ARN.
    ///
    /// Source: AWS developer guide, "HTTP runtime targets" of gateways.
    ///
    /// # Errors
    /// If the name is not 1 to 100 letters, digits and dashes.
    pub fn gateway(endpoint: Endpoint, region: Region, name: &str) -> Result<Self, Error> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if !(1..=MAX_GATEWAY_TARGET_CHARS).contains(&name.len()) || !name.bytes().all(fits) {
            let rule = format!("it must be 1 to {MAX_GATEWAY_TARGET_CHARS} letters, digits and dashes");
            return Err(Error::invalid(InputKind::GatewayTarget, name, rule));
        }
        let gateway_target = Some(name.to_owned());
        let service = Service { endpoint, gateway_target, arn: None, region, qualifier: None, by_account: false };
        Ok(Self::of(Address::Service(service)))
    }

    /// Returns an agent container on a developer's machine, such as `http://127.0.0.1:8080`. It has no ARN.
    ///
    /// Plaintext is accepted to any host, because no credential is sent.
    ///
    /// # Errors
    /// If the URL is not `http://` or `https://`, or has user info, a query or a fragment.
    pub fn local(url: &str) -> Result<Self, Error> {
        Ok(Self::of(Address::Local(BaseUrl::parse(url)?)))
    }

    fn of(address: Address) -> Self {
        Self(Arc::new(Inner { address, urls: Default::default() }))
    }

    /// Sets the endpoint's name, in place of the ARN's. No effect on a local container.
    #[must_use]
    #[doc(alias = "endpoint_name")]
    pub fn with_qualifier(self, name: Qualifier) -> Self {
        self.change(|service| service.qualifier = Some(name))
    }

    /// Sets the ARN of the resource behind a gateway's target. No effect on a local container.
    #[must_use]
    pub fn with_arn(self, arn: Arn) -> Self {
        self.change(|service| {
            service.qualifier = arn.qualifier().cloned().or(service.qualifier.take());
            service.arn = Some(arn);
        })
    }

    /// Names the runtime by its id and the query member `accountId`, in place of its ARN, in invocations and commands.
    ///
    /// Both forms reach the same runtime; this one has a shorter path. No effect on a local container.
    #[must_use]
    pub fn by_account(self) -> Self {
        self.change(|service| service.by_account = true)
    }

    fn change(self, change: impl FnOnce(&mut Service)) -> Self {
        match &self.0.address {
            Address::Local(_) => self,
            Address::Service(service) => {
                let mut service = service.clone();
                change(&mut service);
                Self::of(Address::Service(service))
            }
        }
    }

    /// Checks that the runtime is in this region. Requests go to the ARN's region, whatever this method is given. No effect on a
    /// local container.
    ///
    /// # Errors
    /// If the ARN names another region.
    pub fn in_region(self, region: &Region) -> Result<Self, Error> {
        match self.region() {
            Some(named) if named != region => {
                let rule = format!("the ARN is of a runtime in {named}, and the ARN decides");
                Err(Error::invalid(InputKind::Region, region.as_str(), rule))
            }
            _ => Ok(self),
        }
    }

    /// Returns the ARN, if there is one: a local container has none, and a gateway's target may have none.
    #[must_use]
    pub fn arn(&self) -> Option<&Arn> {
        self.service()?.arn.as_ref()
    }

    /// Returns whether this is a local container, to which no credential is sent.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.service().is_none()
    }

    /// Returns whether requests go to a host of AWS, such as the service's or a VPC endpoint, and not to an endpoint of the caller's.
    #[must_use]
    pub fn is_aws(&self) -> bool {
        self.service().is_some_and(|service| {
            let partition = service.region.partition();
            [partition.dns_suffix(), partition.dual_stack_dns_suffix()].into_iter().any(|suffix| {
                let name = service.endpoint.base().host.strip_suffix(suffix);
                name.is_some_and(|name| name.ends_with('.'))
            })
        })
    }

    /// Returns whether requests are sent over TLS.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        match &self.0.address {
            Address::Service(service) => service.endpoint.base().secure,
            Address::Local(base) => base.secure,
        }
    }

    /// Returns the region that requests are signed for, unless this is a local container.
    #[must_use]
    pub fn region(&self) -> Option<&Region> {
        self.service().map(|service| &service.region)
    }

    /// Returns the endpoint's name, if one was set.
    #[must_use]
    pub fn qualifier(&self) -> Option<&Qualifier> {
        self.service()?.qualifier.as_ref()
    }

    fn service(&self) -> Option<&Service> {
        match &self.0.address {
            Address::Service(service) => Some(service),
            Address::Local(_) => None,
        }
    }

    /// Returns the URL of an operation.
    ///
    /// # Errors
    /// If the target does not offer the operation, such as a command in a local container, or the health of a runtime.
    pub fn url(&self, operation: &Operation) -> Result<Uri, Error> {
        // The statics are the only operations, so each is one of them.
        let mut kept = self.0.urls.iter().zip(operation::ALL);
        let kept = kept.find_map(|(url, row)| ptr::eq(row, operation).then_some(url));
        if let Some(url) = kept.and_then(OnceLock::get) {
            return Ok(url.clone());
        }
        let url = self.build(operation)?;
        let url = Uri::try_from(url).map_err(|error| Error::input("the target has no valid URL").with_source(error))?;
        Ok(kept.map_or(&url, |kept| kept.get_or_init(|| url.clone())).clone())
    }

    fn build(&self, operation: &Operation) -> Result<String, Error> {
        let family = if operation.upgrades { "ws" } else { "http" };
        let refuse = |who: &str| Error::input(format!("{who} offers no {}", operation.noun));
        match &self.0.address {
            Address::Local(base) => {
                let path = operation.local_path.ok_or_else(|| refuse("a local container"))?;
                Ok(base.url(family) + path)
            }
            Address::Service(service) => {
                let resource = service.arn.as_ref().map_or(ResourceType::Runtime, Arn::resource_type);
                if !operation.resources.contains(&resource) {
                    return Err(refuse(&format!("a {resource} behind the service")));
                }
                Ok(service.url(operation, family))
            }
        }
    }
}

impl Service {
    fn url(&self, operation: &Operation, family: &str) -> String {
        let mut url = self.endpoint.base().url(family);
        if let Some(name) = &self.gateway_target {
            url.extend(["/", name]);
        }
        let by_account = self.by_account && operation.query.contains(&QueryMember::AccountId);
        let name = self.arn.as_ref().map(|arn| if by_account { arn.id() } else { arn.as_str() });
        // Writing to a `String` cannot fail.
        let _ = match (operation.path.strip_prefix(ARN_PATH), name) {
            (Some(rest), Some(name)) => write!(url, "/runtimes/{}{rest}", percent_encode(name)),
            (Some(rest), None) => url.write_str(rest),
            (None, _) => url.write_str(operation.path),
        };
        let mut separator = '?';
        for member in operation.query {
            let (key, value) = match member {
                QueryMember::Qualifier => ("qualifier", self.qualifier.as_ref().map(Qualifier::as_str)),
                QueryMember::AccountId => ("accountId", self.arn.as_ref().filter(|_| by_account).map(Arn::account)),
                QueryMember::HarnessArn => ("harnessArn", self.arn.as_ref().map(Arn::as_str)),
            };
            if let Some(value) = value {
                let _ = write!(url, "{separator}{key}={}", percent_encode(value));
                separator = '&';
            }
        }
        url
    }
}

/// Targets are equal if they have the same address.
impl PartialEq for Target {
    fn eq(&self, other: &Self) -> bool {
        self.0.address == other.0.address
    }
}

impl Eq for Target {}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Target").field(&self.0.address).finish()
    }
}

/// The control plane's limit of a gateway target's name.
const MAX_GATEWAY_TARGET_CHARS: usize = 100;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::operation::{
        A2A, AGENT_CARD, ALL, COMMAND, HARNESS, INVOKE, MCP, PING, RESOURCE_METADATA, SHELL, STOP, WEBSOCKET,
    };

    const HOST: &str = "bedrock-agentcore.us-east-1.amazonaws.com";
    const PATH: &str = "/runtimes/arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Fx";

    fn arn() -> Arn {
        "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x".parse().unwrap()
    }

    fn target() -> Target {
        Target::new(arn())
    }

    fn url(target: &Target, operation: &Operation) -> String {
        target.url(operation).unwrap().to_string()
    }

    fn refusal(target: &Target, operation: &Operation) -> String {
        target.url(operation).unwrap_err().to_string()
    }

    #[test]
    fn urls_of_every_operation() {
        let qualified = target().with_qualifier("my endpoint".parse().unwrap());
        for (target, operation, scheme, rest) in [
            (&target(), &INVOKE, "https", "/invocations"),
            (&target(), &MCP, "https", "/invocations"),
            (&target(), &A2A, "https", "/invocations"),
            (&target(), &WEBSOCKET, "wss", "/ws"),
            (&target(), &SHELL, "wss", "/ws/shells"),
            (&target(), &COMMAND, "https", "/commands"),
            (&target(), &STOP, "https", "/stopruntimesession"),
            (&target(), &AGENT_CARD, "https", "/invocations/.well-known/agent-card.json"),
            (&target(), &RESOURCE_METADATA, "https", "/invocations/.well-known/oauth-protected-resource"),
            (&qualified, &INVOKE, "https", "/invocations?qualifier=my%20endpoint"),
            (&qualified, &WEBSOCKET, "wss", "/ws?qualifier=my%20endpoint"),
            (&qualified, &SHELL, "wss", "/ws/shells?qualifier=my%20endpoint"),
        ] {
            assert_eq!(url(target, operation), format!("{scheme}://{HOST}{PATH}{rest}"));
        }
        assert_eq!(refusal(&target(), &PING), "a runtime behind the service offers no ping");
        assert_eq!(refusal(&target(), &HARNESS), "a runtime behind the service offers no harness invocations");
    }

    #[test]
    fn harness_urls() {
        let harness = Target::new("arn:aws:bedrock-agentcore:us-east-1:123456789012:harness/h".parse().unwrap());
        let arn = "arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aharness%2Fh";
        assert_eq!(url(&harness, &HARNESS), format!("https://{HOST}/harnesses/invoke?harnessArn={arn}"));
        let qualified = harness.clone().with_qualifier("q".parse().unwrap());
        assert_eq!(url(&qualified, &HARNESS), format!("https://{HOST}/harnesses/invoke?harnessArn={arn}&qualifier=q"));
        assert_eq!(url(&harness, &COMMAND), format!("https://{HOST}/runtimes/{arn}/commands"));
        assert_eq!(url(&harness, &SHELL), format!("wss://{HOST}/runtimes/{arn}/ws/shells"));
        assert_eq!(refusal(&harness, &INVOKE), "a harness behind the service offers no invocations");
        assert_eq!(refusal(&harness, &MCP), "a harness behind the service offers no MCP");
        assert!(harness.url(&WEBSOCKET).is_err() && harness.url(&AGENT_CARD).is_err());
    }

    #[test]
    fn behind_a_gateway() {
        let base = "https://gw-1.gateway.bedrock-agentcore.us-east-1.amazonaws.com";
        let behind = |name: &str| Target::gateway(base.parse().unwrap(), "us-east-1".parse().unwrap(), name);
        let gateway = behind("my-agent").unwrap();
        assert_eq!(url(&gateway, &INVOKE), format!("{base}/my-agent/invocations"));
        assert_eq!((gateway.arn(), gateway.region().unwrap().as_str()), (None, "us-east-1"));
        let named = gateway.with_arn(arn());
        assert_eq!(url(&named, &INVOKE), format!("{base}/my-agent{PATH}/invocations"));
        let named = named.with_qualifier("q".parse().unwrap());
        assert_eq!(url(&named, &INVOKE), format!("{base}/my-agent{PATH}/invocations?qualifier=q"));
        for name in ["", "a/b", "..", "a?b", "a b", &"x".repeat(101)] {
            let refused = behind(name).unwrap_err();
            assert_eq!(refused.input_kind(), Some(InputKind::GatewayTarget), "{name}");
        }
    }

    #[test]
    fn a_url_is_built_once() {
        let target = target();
        let first = target.url(&INVOKE).unwrap();
        let again = target.clone().url(&INVOKE).unwrap();
        assert_eq!(first.path().as_ptr(), again.path().as_ptr(), "clones share it");
        let other = target.with_qualifier("q".parse().unwrap()).url(&INVOKE).unwrap();
        assert_ne!(first, other, "a changed target has URLs of its own");
    }

    #[test]
    fn account_form() {
        let by_account = target().by_account();
        assert_eq!(url(&by_account, &INVOKE), format!("https://{HOST}/runtimes/x/invocations?accountId=123456789012"));
        let qualified = by_account.with_qualifier("q".parse().unwrap());
        let command = format!("https://{HOST}/runtimes/x/commands?qualifier=q&accountId=123456789012");
        assert_eq!(url(&qualified, &COMMAND), command);
        for operation in
            ALL.iter().filter(|row| !matches!(row.name, "invoke" | "mcp" | "a2a" | "command" | "harness" | "ping"))
        {
            let url = url(&qualified, operation);
            assert!(url.contains(PATH) && !url.contains("accountId"), "{url}");
        }
    }

    #[test]
    fn an_endpoint_arn_sets_the_qualifier_and_may_be_overridden() {
        let target = Target::new(format!("{}/runtime-endpoint/prod", arn()).parse().unwrap());
        assert_eq!(url(&target, &INVOKE), format!("https://{HOST}{PATH}/invocations?qualifier=prod"));
        let target = target.with_qualifier("test".parse().unwrap());
        assert_eq!(url(&target, &INVOKE), format!("https://{HOST}{PATH}/invocations?qualifier=test"));
    }

    #[test]
    fn the_arn_decides_on_the_region() {
        let (here, elsewhere) = ("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        assert_eq!(target().in_region(&here).unwrap(), target());
        let refusal = "invalid region \"us-west-2\": the ARN is of a runtime in us-east-1, and the ARN decides";
        assert_eq!(target().in_region(&elsewhere).unwrap_err().to_string(), refusal);
        let local = Target::local("http://127.0.0.1:8080").unwrap();
        assert_eq!(local.clone().in_region(&elsewhere).unwrap(), local);
    }

    #[test]
    fn another_endpoint() {
        let at = |url: &str| Target::at(url.parse().unwrap(), arn());
        let base = "https://gw.example.test:8443/base/path";
        assert_eq!(url(&at(base), &INVOKE), format!("{base}{PATH}/invocations"));
        assert_eq!(url(&at("http://127.0.0.1:18099"), &WEBSOCKET), format!("ws://127.0.0.1:18099{PATH}/ws"));
    }

    #[test]
    fn local_container() {
        let local = Target::local("http://agent:8080/").unwrap();
        assert_eq!(url(&local, &INVOKE), "http://agent:8080/invocations");
        assert_eq!(url(&local, &MCP), "http://agent:8080/mcp");
        assert_eq!(url(&local, &A2A), "http://agent:8080/");
        assert_eq!(url(&local, &WEBSOCKET), "ws://agent:8080/ws");
        assert_eq!(url(&local, &PING), "http://agent:8080/ping");
        assert_eq!(url(&local, &AGENT_CARD), "http://agent:8080/.well-known/agent-card.json");
        assert_eq!(local.clone().with_qualifier("q".parse().unwrap()).by_account(), local);
        assert_eq!(refusal(&local, &COMMAND), "a local container offers no commands");
        for operation in [&SHELL, &STOP, &RESOURCE_METADATA, &HARNESS] {
            assert!(local.url(operation).is_err(), "{}", operation.name);
        }
        assert!(Target::local("agent:8080").is_err());
    }
}
