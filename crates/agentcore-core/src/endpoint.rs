//! The base URLs of requests: the service's host in a region, or the caller's URL. Opens no connection.

use std::{fmt, str::FromStr};

use http::{Uri, uri::Scheme};

use crate::{Error, InputKind, Region};

/// The base URL of a data plane: scheme, authority and perhaps a path, without query.
///
/// The host is kept in small letters, because it is signed, and clients send it so whatever was typed.
/// Plaintext `http` is accepted to loopback only, because every request carries a credential. Parse an endpoint to reach a gateway,
/// a VPC endpoint or a test server; [`Endpoints`] has the service's hosts.
///
/// ```
/// # use agentcore_core::Endpoint;
/// let endpoint: Endpoint = "https://gateway.example.com:8443/agents/".parse()?;
/// assert_eq!(endpoint.to_string(), "https://gateway.example.com:8443/agents");
/// assert!("http://gateway.example.com".parse::<Endpoint>().is_err());
/// assert!("http://127.0.0.1:8080".parse::<Endpoint>().is_ok());
/// # Ok::<(), agentcore_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint(BaseUrl);

impl Endpoint {
    pub(crate) fn base(&self) -> &BaseUrl {
        &self.0
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let base = BaseUrl::parse(text)?;
        if !base.secure && !is_loopback(&base.host) {
            return Err(refuse(&format!("{} is not loopback: credentials travel over https only", base.host)));
        }
        Ok(Self(base))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.url("http"))
    }
}

/// The endpoint of each region: the service's hosts, or one [`Endpoint`] for all.
///
/// ```
/// # use agentcore_core::{Endpoints, EndpointVariant};
/// let region = "us-gov-west-1".parse()?;
/// let endpoint = Endpoints::aws(EndpointVariant::default().fips(true)).resolve(&region);
/// assert_eq!(endpoint.to_string(), "https://bedrock-agentcore-fips.us-gov-west-1.amazonaws.com");
/// # Ok::<(), agentcore_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints(Choice);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Choice {
    Service(EndpointVariant),
    Fixed(Endpoint),
}

impl Endpoints {
    /// Returns the service's hosts.
    #[must_use]
    pub fn aws(variant: EndpointVariant) -> Self {
        Self(Choice::Service(variant))
    }

    /// Reads the environment as the AWS SDKs do, through `lookup`: this crate reads no environment.
    ///
    /// The URL is `explicit`, or the first that is set and not empty of `AWS_ENDPOINT_URL_BEDROCK_AGENTCORE`,
    /// `AWS_ENDPOINT_URL` and `BEDROCK_AGENTCORE_DP_ENDPOINT` (the variable of the official Python SDK).
    /// `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true` turns the `AWS_` ones off. `AWS_USE_FIPS_ENDPOINT=true` and
    /// `AWS_USE_DUALSTACK_ENDPOINT=true` choose the variant.
    ///
    /// # Errors
    /// If a variable is not an endpoint (the error names the variable), or if FIPS or dual-stack is asked for together with a
    /// URL.
    pub fn from_env(explicit: Option<Endpoint>, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let is_true = |name| set(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let variant = EndpointVariant {
            fips: is_true("AWS_USE_FIPS_ENDPOINT"),
            dual_stack: is_true("AWS_USE_DUALSTACK_ENDPOINT"),
        };
        let ignored = is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
        let names = URL_VARIABLES.iter().filter(|name| !(ignored && name.starts_with("AWS_")));
        let url = match explicit {
            Some(url) => Some(url),
            None => names
                .copied()
                .find_map(|name| set(name).map(|value| (name, value)))
                .map(|(name, value)| value.parse().map_err(|error: Error| refuse(&format!("{name}: {}", error.rule()))))
                .transpose()?,
        };
        match url {
            None => Ok(Self::aws(variant)),
            Some(_) if variant.fips => Err(refuse("AWS_USE_FIPS_ENDPOINT and an explicit URL exclude each other")),
            Some(_) if variant.dual_stack => {
                Err(refuse("AWS_USE_DUALSTACK_ENDPOINT and an explicit URL exclude each other"))
            }
            Some(url) => Ok(url.into()),
        }
    }

    /// Returns the endpoint of a region.
    #[must_use]
    pub fn resolve(&self, region: &Region) -> Endpoint {
        match &self.0 {
            Choice::Fixed(url) => url.clone(),
            Choice::Service(EndpointVariant { fips, dual_stack }) => {
                let partition = region.partition();
                let suffix = if *dual_stack { partition.dual_stack_dns_suffix() } else { partition.dns_suffix() };
                let fips = if *fips { "-fips" } else { "" };
                let host = format!("bedrock-agentcore{fips}.{region}.{suffix}");
                Endpoint(BaseUrl { secure: true, rest: host.clone(), host })
            }
        }
    }
}

/// Returns the service's hosts, without FIPS and dual-stack.
impl Default for Endpoints {
    fn default() -> Self {
        Self::aws(EndpointVariant::default())
    }
}

/// Returns this URL for every region.
impl From<Endpoint> for Endpoints {
    fn from(url: Endpoint) -> Self {
        Self(Choice::Fixed(url))
    }
}

/// The variant of the service's hosts in a region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndpointVariant {
    fips: bool,
    dual_stack: bool,
}

crate::setters! {
    impl EndpointVariant:

    /// Selects hosts with FIPS 140 validated cryptography. Default: off, because not every region has them.
    fips(on: bool) => fips = on;

    /// Selects hosts that answer over IPv6 too. Default: off, which is IPv4 alone.
    dual_stack(on: bool) => dual_stack = on;
}

/// A parsed base URL, encrypted or not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BaseUrl {
    pub(crate) secure: bool,
    pub(crate) host: String,
    /// Authority and path, without a trailing slash.
    rest: String,
}

impl BaseUrl {
    /// Parses an `http` or `https` URL that has no user info, no query and no fragment.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let uri: Uri = text.parse().map_err(|_| refuse("it must look like https://HOST[:PORT][/PATH]"))?;
        let secure = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(refuse("it must begin with https:// (or http:// to loopback)")),
        };
        let authority = uri.authority().ok_or_else(|| refuse("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(refuse("it must not hold a user name or a password"));
        }
        if authority.host().is_empty() {
            return Err(refuse("it names no host"));
        }
        // `http` drops a fragment silently; here it would hide a mistake.
        if uri.query().is_some() || text.contains('#') {
            return Err(refuse("it may have no query and no fragment"));
        }
        // Browsers write the host of a URL in small letters and its port without a default or leading zeros (RFC 3986 §6.2), and others
        // as they were given. The `Host` field is signed: in this form nobody changes it.
        let host = authority.host().to_ascii_lowercase();
        if !is_host(&host) {
            return Err(refuse("its host must be a name of letters, digits, '.', '-' and '_', or an address"));
        }
        let port = match (authority.as_str().get(host.len()..).unwrap_or_default(), authority.port_u16()) {
            ("" | ":", _) => String::new(),
            (_, Some(port)) if port == if secure { 443 } else { 80 } => String::new(),
            (_, Some(port)) => format!(":{port}"),
            (_, None) => return Err(refuse("its port must be a number up to 65535")),
        };
        let rest = format!("{host}{port}{}", uri.path().trim_end_matches('/'));
        Ok(Self { secure, host, rest })
    }

    /// Returns the URL in the `http` or `ws` family of schemes.
    pub(crate) fn url(&self, family: &str) -> String {
        let secure = if self.secure { "s" } else { "" };
        format!("{family}{secure}://{}", self.rest)
    }
}

/// Returns whether a URL's host is a name of letters, digits, `.`, `-` and `_`, or an address (RFC 3986 §3.2.2, of which DNS and TLS
/// take less). `http` takes brackets anywhere, and finds a host there that others do not find.
///
/// ```
/// assert!(agentcore_core::endpoint::is_host("[::1]"));
/// assert!(!agentcore_core::endpoint::is_host("example.com[::1]"));
/// ```
#[must_use]
pub fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)) && !host.is_empty(),
    }
}

/// Returns whether a URL's host is this machine: `localhost`, `127.0.0.0/8` or `[::1]`.
///
/// ```
/// assert!(agentcore_core::endpoint::is_loopback("127.0.0.1"));
/// assert!(!agentcore_core::endpoint::is_loopback("localhost.example.com"));
/// ```
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    use std::net::{Ipv4Addr, Ipv6Addr};
    if host.eq_ignore_ascii_case("localhost") {
        return true;
    }
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(v6) => v6.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback()),
        None => host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback()),
    }
}

/// Makes an error that does not quote the text, which may hold a password.
fn refuse(rule: &str) -> Error {
    Error::invalid_unquoted(InputKind::Endpoint, rule)
}

const URL_VARIABLES: &[&str] =
    &["AWS_ENDPOINT_URL_BEDROCK_AGENTCORE", "AWS_ENDPOINT_URL", "BEDROCK_AGENTCORE_DP_ENDPOINT"];

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// The hosts of the service model's own endpoint tests.
    #[test]
    fn hosts_of_the_service() {
        for (region, fips, dual_stack, url) in [
            ("us-east-1", false, false, "https://bedrock-agentcore.us-east-1.amazonaws.com"),
            ("us-east-1", true, false, "https://bedrock-agentcore-fips.us-east-1.amazonaws.com"),
            ("us-east-1", false, true, "https://bedrock-agentcore.us-east-1.api.aws"),
            ("us-east-1", true, true, "https://bedrock-agentcore-fips.us-east-1.api.aws"),
            ("cn-north-1", false, false, "https://bedrock-agentcore.cn-north-1.amazonaws.com.cn"),
            ("cn-north-1", true, true, "https://bedrock-agentcore-fips.cn-north-1.api.amazonwebservices.com.cn"),
            ("us-gov-east-1", false, false, "https://bedrock-agentcore.us-gov-east-1.amazonaws.com"),
            ("us-iso-east-1", false, false, "https://bedrock-agentcore.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", true, false, "https://bedrock-agentcore-fips.us-isob-east-1.sc2s.sgov.gov"),
        ] {
            let endpoints = Endpoints::aws(EndpointVariant::default().fips(fips).dual_stack(dual_stack));
            let endpoint = endpoints.resolve(&region.parse().unwrap());
            assert_eq!(endpoint.to_string(), url);
            assert_eq!(url.parse::<Endpoint>().unwrap(), endpoint);
        }
    }

    #[test]
    fn explicit_urls() {
        for (text, url) in [
            ("https://gw.example.test:8443/base/path", "https://gw.example.test:8443/base/path"),
            ("https://gw.example.test/", "https://gw.example.test"),
            ("HTTPS://gw.example.test", "https://gw.example.test"),
            ("https://gw.example.test:443/base", "https://gw.example.test/base"),
            ("https://gw.example.test:80", "https://gw.example.test:80"),
            ("http://127.0.0.1:18099", "http://127.0.0.1:18099"),
            ("http://127.9.9.9", "http://127.9.9.9"),
            ("http://[::1]:80", "http://[::1]"),
            ("http://[::1]:443", "http://[::1]:443"),
            ("http://LocalHost:1", "http://localhost:1"),
            ("https://Gateway.Example.COM:443/Base", "https://gateway.example.com/Base"),
            ("https://gw.example.test:0443", "https://gw.example.test"),
            ("https://gw.example.test:08443", "https://gw.example.test:8443"),
            ("https://gw.example.test:/base", "https://gw.example.test/base"),
            ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
            ("http://[::1]:8080/A%2fB", "http://[::1]:8080/A%2fB"),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), url);
        }
        for (text, rule) in [
            ("", "it must look like https://HOST[:PORT][/PATH]"),
            ("gw.example.test", "it must begin with https:// (or http:// to loopback)"),
            ("/path", "it must begin with https:// (or http:// to loopback)"),
            ("wss://gw.example.test", "it must begin with https:// (or http:// to loopback)"),
            ("https://", "it must look like https://HOST[:PORT][/PATH]"),
            ("https://me:secret@gw.example.test", "it must not hold a user name or a password"),
            ("https://gw.example.test?x=1", "it may have no query and no fragment"),
            ("https://gw.example.test/#x", "it may have no query and no fragment"),
            ("https://gw.example.test:99999", "its port must be a number up to 65535"),
            ("https://gw[::1]", "its host must be a name of letters, digits, '.', '-' and '_', or an address"),
            ("https://y[:]:0", "its host must be a name of letters, digits, '.', '-' and '_', or an address"),
            ("https://[::1", "it must look like https://HOST[:PORT][/PATH]"),
            ("https://[fe80::1%eth0]", "its host must be a name of letters, digits, '.', '-' and '_', or an address"),
            ("https://a,b", "its host must be a name of letters, digits, '.', '-' and '_', or an address"),
            ("https://gw example", "it must look like https://HOST[:PORT][/PATH]"),
            ("http://gw.example.test", "gw.example.test is not loopback: credentials travel over https only"),
            ("http://localhost.evil", "localhost.evil is not loopback: credentials travel over https only"),
            ("http://128.0.0.1", "128.0.0.1 is not loopback: credentials travel over https only"),
            ("http://0x7f.1", "0x7f.1 is not loopback: credentials travel over https only"),
        ] {
            let error = text.parse::<Endpoint>().unwrap_err();
            assert_eq!(error.rule(), rule, "{text:?}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn environment() {
        let region = "us-east-1".parse().unwrap();
        let own = "https://bedrock-agentcore.us-east-1.amazonaws.com";
        let (any, ours) = (("AWS_ENDPOINT_URL", "https://a"), "AWS_ENDPOINT_URL_BEDROCK_AGENTCORE");
        let ftp = "AWS_ENDPOINT_URL: it must begin with https:// (or http:// to loopback)";
        let fips = "AWS_USE_FIPS_ENDPOINT and an explicit URL exclude each other";
        let dual_stack = "AWS_USE_DUALSTACK_ENDPOINT and an explicit URL exclude each other";
        for (variables, expected) in [
            (&[][..], Ok(own)),
            (&[any][..], Ok("https://a")),
            (&[any, (ours, "https://b")], Ok("https://b")),
            (&[any, (ours, "")], Ok("https://a")),
            (&[("BEDROCK_AGENTCORE_DP_ENDPOINT", "https://c")], Ok("https://c")),
            (&[("BEDROCK_AGENTCORE_DP_ENDPOINT", "https://c"), any], Ok("https://a")),
            (&[any, ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")], Ok(own)),
            (&[("AWS_USE_FIPS_ENDPOINT", "TRUE")], Ok("https://bedrock-agentcore-fips.us-east-1.amazonaws.com")),
            (&[("AWS_USE_DUALSTACK_ENDPOINT", "true")], Ok("https://bedrock-agentcore.us-east-1.api.aws")),
            (&[("AWS_USE_FIPS_ENDPOINT", "false")], Ok(own)),
            (&[("AWS_ENDPOINT_URL", "ftp://a")], Err(ftp)),
            (&[any, ("AWS_USE_FIPS_ENDPOINT", "true")], Err(fips)),
            (&[any, ("AWS_USE_DUALSTACK_ENDPOINT", "true")], Err(dual_stack)),
        ] {
            let lookup =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            let found = Endpoints::from_env(None, lookup).map(|endpoints| endpoints.resolve(&region).to_string());
            let found = found.map_err(|error| error.rule().to_owned());
            assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned), "{variables:?}");
        }
        let explicit: Endpoint = "https://mine".parse().unwrap();
        let with = |variable, value: &str| {
            Endpoints::from_env(Some(explicit.clone()), |name| (name == variable).then(|| value.into()))
        };
        assert_eq!(with("AWS_ENDPOINT_URL", "bad").unwrap().resolve(&region), explicit);
        assert!(with("AWS_USE_FIPS_ENDPOINT", "true").is_err());
    }
}
