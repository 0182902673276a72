//! The choice of a proxy, and the hosts that are reached without one. Connects to nothing.

use std::{ffi::OsString, fmt, net::IpAddr};

use agentcore_core::Error;
use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

/// The proxy for `https` endpoints. Plaintext requests go to loopback and local containers only, without a proxy.
#[derive(Clone)]
#[non_exhaustive]
pub enum Proxy {
    /// `HTTPS_PROXY`, else `ALL_PROXY`, but not for the hosts in `NO_PROXY`. The variables, in capital or small letters, are read when
    /// the transport is built; empty ones count as unset.
    Environment,
    /// No proxy, whatever the environment has.
    None,
    /// This proxy.
    Url {
        /// `http://[USER:PASSWORD@]HOST[:PORT]`, or `https://` for a proxy over TLS.
        url: String,
        /// What to reach without it, separated by commas or spaces, as in `NO_PROXY`: a host or a domain with all below it
        /// (`example.com`, `.example.com`, `*.example.com`), an address (`10.0.0.1`, `::1`, `[::1]`), a network (`10.0.0.0/8`), each but a
        /// network with a port or without (`localhost:8443`), or `*` for everything.
        except: String,
    },
}

/// Prints no URL, which may hold a password.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "Environment",
            Self::None => "None",
            Self::Url { .. } => "Url(…)",
        })
    }
}

/// Which requests go through which proxy.
#[derive(Debug)]
pub(crate) struct ProxyRules {
    any_port: Matcher,
    /// The ports that have exceptions of their own. These matchers know the others too.
    ports: Vec<(u16, Matcher)>,
}

impl ProxyRules {
    /// Reads the rules of a choice; `lookup` is the environment.
    ///
    /// # Errors
    /// If a proxy's URL is not one. The error names the variable and does not quote the URL, which may hold a password.
    pub(crate) fn new(proxy: Proxy, lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let first = |names: &[&'static str]| {
            let set = |name: &&'static str| Some((*name, lookup(name).filter(|value| !value.is_empty())?));
            names.iter().find_map(set).map(|(name, value)| (name, value.into_string().unwrap_or_default()))
        };
        let (name, url, except) = match proxy {
            Proxy::None => return Ok(Self { any_port: Matcher::builder().build(), ports: Vec::new() }),
            Proxy::Url { url, except } => ("the proxy's URL", url, except),
            Proxy::Environment => match first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]) {
                None => return Self::new(Proxy::None, lookup),
                Some((name, url)) => {
                    let except = first(&["NO_PROXY", "no_proxy"]).map(|(_, except)| except);
                    (name, url, except.unwrap_or_default())
                }
            },
        };
        if !is_proxy(&url) {
            return Err(Error::input(format!(
                "{name} must look like http://[USER:PASSWORD@]HOST[:PORT] (or https://)"
            )));
        }
        let entries: Vec<_> = except.split([',', ' ', '\t']).filter_map(entry).collect();
        let matcher = |port: Option<u16>| {
            let mut hosts = String::new();
            for (host, _) in entries.iter().filter(|(_, of)| of.is_none() || *of == port) {
                hosts.extend([host, ","]);
            }
            Matcher::builder().https(&url).no(hosts).build()
        };
        let mut ports: Vec<u16> = entries.iter().filter_map(|(_, port)| *port).collect();
        ports.sort_unstable();
        ports.dedup();
        let ports = ports.into_iter().map(|port| (port, matcher(Some(port)))).collect();
        Ok(Self { any_port: matcher(None), ports })
    }

    /// Returns the proxy for a URL, if it is an `https` one and no exception.
    pub(crate) fn intercept(&self, url: &Uri) -> Option<Intercept> {
        let port = url.port_u16().unwrap_or(443);
        let own = self.ports.iter().find_map(|(own, matcher)| (*own == port).then_some(matcher));
        own.unwrap_or(&self.any_port).intercept(url)
    }
}

/// Returns whether a text is the URL of a proxy that can be used.
fn is_proxy(url: &str) -> bool {
    let anywhere = Uri::from_static("https://host.invalid");
    let proxy = Matcher::builder().https(url).build().intercept(&anywhere);
    proxy.is_some_and(|proxy| {
        let url = proxy.uri();
        // A port that is no number is dropped by `http`, and the proxy would be looked for at another.
        let host_alone = url.host().is_some_and(|host| url.authority().is_some_and(|whole| whole.as_str() == host));
        let named = url.host().is_some_and(|host| !host.is_empty()) && (host_alone || url.port_u16().is_some());
        named && matches!(url.scheme_str(), Some("http" | "https"))
    })
}

/// Returns the host and the port of an exception, as [`Matcher`] understands it: without brackets and stars.
fn entry(text: &str) -> Option<(&str, Option<u16>)> {
    if let Some((address, port)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        return Some((address, port.strip_prefix(':').and_then(|port| port.parse().ok())));
    }
    let (host, port) = match text.rsplit_once(':') {
        // An address of IPv6 has colons of its own.
        Some((host, port)) if text.parse::<IpAddr>().is_err() && !text.contains('/') => {
            (host, Some(port.parse().ok()?))
        }
        _ => (text, None),
    };
    let host = host.strip_prefix('*').filter(|domain| domain.starts_with('.')).unwrap_or(host).trim_end_matches('.');
    // A star is no address to `Matcher`.
    let host = if host == "*" { "*,0.0.0.0/0,::/0" } else { host };
    (!host.is_empty()).then_some((host, port))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn what_is_reached_without_the_proxy() {
        for (except, around, through) in [
            ("", &[][..], &["a.example.com", "127.0.0.1", "[::1]"][..]),
            ("example.com", &["example.com", "a.example.com", "EXAMPLE.com:8443"], &["example.org", "notexample.com"]),
            (".example.com", &["a.example.com", "example.com"], &["notexample.com"]),
            ("*.example.com", &["a.example.com", "b.a.example.com"], &["notexample.com"]),
            ("example.com.", &["a.example.com"], &["example.org"]),
            ("example.com:8443", &["example.com:8443", "a.example.com:8443"], &["example.com", "example.com:443"]),
            ("example.com:443", &["example.com", "example.com:443"], &["example.com:8443"]),
            ("*.example.com:8443 .example.org", &["a.example.com:8443", "a.example.org:8443"], &["a.example.com"]),
            (
                "a.example, b.example\tc.example  d.example,,",
                &["a.example", "b.example", "c.example", "d.example"],
                &["e.example"],
            ),
            ("10.0.0.0/8,192.168.7.1", &["10.1.2.3", "192.168.7.1:8443"], &["11.0.0.1", "192.168.7.2"]),
            ("127.0.0.1:8443", &["127.0.0.1:8443"], &["127.0.0.1"]),
            ("::1", &["[::1]", "[::1]:8443"], &["[::2]"]),
            ("[::1]", &["[::1]", "[::1]:8443"], &["[::2]"]),
            ("[::1]:8443", &["[::1]:8443"], &["[::1]"]),
            ("fe80::/10", &["[fe80::7]"], &["[2001:db8::1]"]),
            ("*", &["example.com", "10.0.0.1:8443", "[::1]"], &[]),
            ("example.com:port,*.,.", &[], &["example.com", "com"]),
        ] {
            let proxy = Proxy::Url { url: "http://proxy.example:3128".into(), except: except.into() };
            let rules = ProxyRules::new(proxy, |_| None).unwrap();
            for (hosts, expected) in [(around, false), (through, true)] {
                for host in hosts {
                    let url = format!("https://{host}/x").parse().unwrap();
                    assert_eq!(rules.intercept(&url).is_some(), expected, "{except:?} {host}");
                }
            }
            assert!(rules.intercept(&Uri::from_static("http://127.0.0.1")).is_none(), "plaintext takes no proxy");
        }
    }

    #[test]
    fn which_variable_counts() {
        for (variables, proxy) in [
            (&[][..], Ok(None)),
            (&[("HTTPS_PROXY", "http://a:1"), ("ALL_PROXY", "http://b:1")][..], Ok(Some("http://a:1/"))),
            (&[("HTTPS_PROXY", ""), ("https_proxy", "a")], Ok(Some("http://a/"))),
            (&[("all_proxy", "https://user:pass@a:1/x")], Ok(Some("https://a:1/"))),
            (&[("HTTP_PROXY", "nonsense at all")], Ok(None)),
            (&[("HTTPS_PROXY", "http://a:1"), ("no_proxy", "host.example")], Ok(None)),
            (&[("HTTPS_PROXY", "not a url"), ("ALL_PROXY", "http://b:1")], Err("HTTPS_PROXY")),
            (&[("https_proxy", "http://")], Err("https_proxy")),
            (&[("ALL_PROXY", "socks5://a:1")], Err("ALL_PROXY")),
            (&[("all_proxy", "http://a:99999")], Err("all_proxy")),
            (&[("all_proxy", "http://:3128")], Err("all_proxy")),
            (&[("all_proxy", "/hush")], Err("all_proxy")),
        ] {
            let lookup = |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).into());
            let found = ProxyRules::new(Proxy::Environment, lookup);
            let url = Uri::from_static("https://host.example");
            let found = found.map(|rules| rules.intercept(&url).map(|proxy| proxy.uri().to_string()));
            let message = |name| format!("{name} must look like http://[USER:PASSWORD@]HOST[:PORT] (or https://)");
            let expected = proxy.map(|url: Option<&str>| url.map(str::to_owned)).map_err(message);
            assert_eq!(found.map_err(|error| error.to_string()), expected, "{variables:?}");
        }
    }
}
