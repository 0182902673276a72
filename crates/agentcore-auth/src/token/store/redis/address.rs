//! Where a server is, and as whom it is addressed. Shows no password, and connects to nothing.

use std::{fmt, net::IpAddr};

use percent_encoding::percent_decode_str;
use redis::RedisConnectionInfo;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::Error;

/// A parsed URL. `Debug` and `Display` show the host and the port alone.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) tls: bool,
    /// Without the brackets of an IPv6 address.
    pub(super) host: String,
    pub(super) port: u16,
    database: i64,
    username: Option<String>,
    password: Option<SecretString>,
}

impl Address {
    /// Parses `redis[s]://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`.
    ///
    /// # Errors
    /// If it is another URL, or would send a password over plaintext to another machine. The error does not quote it.
    pub(super) fn parse(url: &str) -> Result<Self, Error> {
        let invalid = |rule: &str| Error::input(format!("invalid URL of a token store: {rule}"));
        let parsed = Url::parse(url).map_err(|_| invalid(SHAPE))?;
        let tls = match parsed.scheme() {
            "redis" => false,
            "rediss" => true,
            _ => return Err(invalid(SHAPE)),
        };
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(invalid("it has no parameters"));
        }
        // The library reads numeric addresses as such only in URLs of the web.
        let host = parsed.host_str().unwrap_or_default();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() {
            return Err(invalid(SHAPE));
        }
        let is_local = match host.parse::<IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback(),
            Err(_) => host.eq_ignore_ascii_case("localhost"),
        };
        let host = host.to_owned();
        let database = match parsed.path().trim_start_matches('/') {
            "" => 0,
            number => number.parse::<u16>().map_err(|_| invalid("its path is the number of a database"))?,
        };
        let decoded = |text: &str| match percent_decode_str(text).decode_utf8() {
            Ok(text) => Ok(Some(text.into_owned()).filter(|text| !text.is_empty())),
            Err(_) => Err(invalid("the user and the password are percent-encoded UTF-8")),
        };
        let username = decoded(parsed.username())?;
        let password = decoded(parsed.password().unwrap_or_default())?.map(SecretString::from);
        if username.is_some() && password.is_none() {
            return Err(invalid("there is a user and no password"));
        }
        if password.is_some() && !tls && !is_local {
            return Err(invalid("a password goes over TLS or to loopback only: rediss:// is needed"));
        }
        let port = parsed.port().unwrap_or(DEFAULT_PORT);
        Ok(Self { tls, host, port, database: database.into(), username, password })
    }

    pub(super) fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// Returns what is said to the server first. Older servers than 7.2 do not know a client's name.
    pub(super) fn greeting(&self) -> RedisConnectionInfo {
        let mut greeting = RedisConnectionInfo::default().set_db(self.database).set_skip_set_lib_name();
        if let Some(username) = &self.username {
            greeting = greeting.set_username(username);
        }
        match &self.password {
            Some(password) => greeting.set_password(password.expose_secret()),
            None => greeting,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{open}{}{close}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const SHAPE: &str = "it is redis://HOST or rediss://HOST, with [:PORT][/DATABASE]";
const DEFAULT_PORT: u16 = 6379;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn urls_of_servers() {
        for (url, shown, tls, database, user, password) in [
            ("redis://cache.example", "cache.example:6379", false, 0, None, None),
            ("redis://cache.example:7000/", "cache.example:7000", false, 0, None, None),
            ("rediss://cache.example/3", "cache.example:6379", true, 3, None, None),
            ("rediss://:hu%2Fsh@cache.example", "cache.example:6379", true, 0, None, Some("hu/sh")),
            ("rediss://a%40b:hush@10.0.0.1:1", "10.0.0.1:1", true, 0, Some("a@b"), Some("hush")),
            ("redis://:hush@127.0.0.1", "127.0.0.1:6379", false, 0, None, Some("hush")),
            ("redis://:hush@localhost", "localhost:6379", false, 0, None, Some("hush")),
            ("redis://:hush@[::1]:7", "[::1]:7", false, 0, None, Some("hush")),
            ("redis://:@cache.example", "cache.example:6379", false, 0, None, None),
        ] {
            let address = Address::parse(url).unwrap();
            let greeting = address.greeting();
            assert_eq!((address.to_string().as_str(), address.tls), (shown, tls), "{url}");
            assert_eq!((greeting.db(), greeting.username(), greeting.password()), (database, user, password), "{url}");
            assert_eq!(format!("{address:?}"), shown);
        }
    }

    #[test]
    fn what_is_refused_is_not_quoted() {
        let plain = "a password goes over TLS or to loopback only: rediss:// is needed";
        let encoded = "the user and the password are percent-encoded UTF-8";
        for (url, rule) in [
            ("cache.example:6379", SHAPE),
            ("", SHAPE),
            ("https://:hush@cache.example", SHAPE),
            ("redis+unix:///hush", SHAPE),
            ("redis://", SHAPE),
            ("redis:///3", SHAPE),
            ("redis://hush:x@:7", SHAPE),
            ("redis://:hush@cache.example:99999", SHAPE),
            ("rediss://cache.example/#insecure", "it has no parameters"),
            ("rediss://cache.example?protocol=hush", "it has no parameters"),
            ("rediss://cache.example/hush", "its path is the number of a database"),
            ("rediss://cache.example/-1", "its path is the number of a database"),
            ("redis://:hush@cache.example", plain),
            ("redis://:hush@10.0.0.1", plain),
            ("redis://:hush@[2001:db8::1]", plain),
            ("redis://:hush@localhost.example", plain),
            ("rediss://hush@cache.example", "there is a user and no password"),
            ("rediss://:hush%ff@cache.example", encoded),
        ] {
            let error = Address::parse(url).unwrap_err();
            assert_eq!(error.to_string(), format!("invalid URL of a token store: {rule}"), "{url}");
        }
    }
}
