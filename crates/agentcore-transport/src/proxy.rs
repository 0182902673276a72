//! The choice of a way out. Decides nothing about hosts by itself.

use std::fmt;

/// How to get out to `https` endpoints. Plaintext goes to loopback and local containers only, and never through a proxy.
#[derive(Clone)]
#[non_exhaustive]
pub enum Proxy {
    /// `HTTPS_PROXY`, else `ALL_PROXY`, but not for the hosts in `NO_PROXY` (in small letters too), read when the transport is
    /// built.
    Environment,
    /// Directly, whatever the environment says.
    None,
    /// Through this one.
    Url {
        /// `http://[USER:PASSWORD@]HOST:PORT`, or `https://` for a proxy that speaks TLS itself.
        url: String,
        /// Hosts, domains and networks to reach directly, separated by commas, as in `NO_PROXY`.
        except: String,
    },
}

/// Does not show the URL, which may hold a password.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "Environment",
            Self::None => "None",
            Self::Url { .. } => "Url(…)",
        })
    }
}
