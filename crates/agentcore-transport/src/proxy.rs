//! The choice of a proxy. Parses no URL and connects to nothing.

use std::fmt;

/// The proxy for `https` endpoints. Plaintext requests go to loopback and local containers only, without a proxy.
#[derive(Clone)]
#[non_exhaustive]
pub enum Proxy {
    /// `HTTPS_PROXY`, else `ALL_PROXY`, but not for the hosts in `NO_PROXY`. The variables, in capital or small letters, are read when
    /// the transport is built.
    Environment,
    /// No proxy, whatever the environment has.
    None,
    /// This proxy.
    Url {
        /// `http://[USER:PASSWORD@]HOST:PORT`, or `https://` for a proxy over TLS.
        url: String,
        /// Hosts, domains and networks to reach without it, separated by commas, as in `NO_PROXY`.
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
