//! Where the server is and what it speaks, as one argument that a process passes to the next.

use std::{fmt, str::FromStr};

use crate::Result;

/// A server that listens.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) protocol: Protocol,
    /// Its address and port.
    pub(crate) address: String,
    /// Where a byte makes it send an event on each stream that it holds open.
    pub(crate) ticks: String,
    /// The certificate to trust, as PEM, where it speaks TLS.
    pub(crate) root: Option<String>,
}

impl Place {
    /// Its URL without a path.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.root.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = self.root.as_deref().unwrap_or_default();
        write!(f, "{},{},{},{}", self.protocol.name(), self.address, self.ticks, root.replace('\n', "|"))
    }
}

impl FromStr for Place {
    type Err = Box<dyn std::error::Error + Send + Sync>;

    fn from_str(text: &str) -> Result<Self> {
        let mut parts = text.split(',').map(str::to_owned);
        let mut part = || parts.next().ok_or("this says no place");
        let (protocol, address, ticks, root) = (part()?.parse()?, part()?, part()?, part()?.replace('|', "\n"));
        Ok(Self { protocol, address, ticks, root: Some(root).filter(|root| !root.is_empty()) })
    }
}

/// What client and server speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/1.1 without TLS.
    Http1,
    /// HTTP/1.1 over TLS.
    Http1Tls,
    /// HTTP/2 over TLS: the client speaks it nowhere else.
    Http2,
}

impl Protocol {
    pub(crate) const ALL: [Self; 3] = [Self::Http1, Self::Http1Tls, Self::Http2];

    /// Its name in arguments.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http1 => "http1",
            Self::Http1Tls => "http1-tls",
            Self::Http2 => "http2",
        }
    }

    /// Its name in a table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP/1.1",
            Self::Http1Tls => "HTTP/1.1, TLS",
            Self::Http2 => "HTTP/2, TLS",
        }
    }
}

impl FromStr for Protocol {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|it| it.name() == name).ok_or("there is no such protocol")
    }
}
