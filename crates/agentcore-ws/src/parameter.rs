//! Writes query parameters into a URL. Rejects the caller's parameters that would override the service's.

use std::fmt::{self, Write as _};

use agentcore_core::{header, percent_encode};

use crate::Error;

/// A query parameter that the caller adds.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    name: String,
    value: String,
}

impl Parameter {
    /// Checks the name. The value may be any text, because it is encoded.
    pub(crate) fn new(name: &str, value: &str) -> Result<Self, Error> {
        let refuse = |rule: &str| Err(Error::input(format!("invalid query parameter {name:?}: {rule}")));
        let lower = name.to_ascii_lowercase();
        if name.is_empty() {
            return refuse("it has no name");
        }
        if RESERVED.contains(&lower.as_str()) {
            return refuse("it is set by this client, not by hand");
        }
        if (lower.starts_with("x-amz-") || lower.starts_with("x-amzn-")) && !lower.starts_with(header::CUSTOM_PREFIX) {
            return refuse("the service sets X-Amz- and X-Amzn- aside for itself");
        }
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }

    pub(crate) fn append_to(&self, url: &mut String) {
        append(url, &self.name, &self.value);
    }
}

/// Shows only the name: the value may be private.
impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parameter({:?}=…)", self.name)
    }
}

/// Appends a parameter to a URL without fragment, encoded as signatures need it: a space is `%20`.
pub(crate) fn append(url: &mut String, name: &str, value: &str) {
    let separator = if url.contains('?') { '&' } else { '?' };
    // Writing to a `String` cannot fail.
    let _ = write!(url, "{separator}{}={}", percent_encode(name), percent_encode(value));
}

/// The query parameter of the session.
pub(crate) const SESSION_ID: &str = "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id";

/// The query parameter of the shell.
pub(crate) const SHELL_ID: &str = "shellId";

/// The query parameters of the service model, in lower case.
const RESERVED: &[&str] = &["accountid", "qualifier", "shellid"];

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_others_are_refused() {
        let (service, ours) =
            ("the service sets X-Amz- and X-Amzn- aside for itself", "it is set by this client, not by hand");
        for (name, rule) in [
            ("", "it has no name"),
            ("qualifier", ours),
            ("QUALIFIER", ours),
            ("accountId", ours),
            ("accountid", ours),
            ("shellId", ours),
            ("X-Amz-Signature", service),
            ("x-amz-expires", service),
            ("X-Amzn-Bedrock-AgentCore-Runtime-Session-Id", service),
            ("x-amzn-bedrock-agentcore-runtime-USER-id", service),
            ("X-AMZN-Trace-Id", service),
        ] {
            let error = Parameter::new(name, "v").unwrap_err();
            assert_eq!(error.to_string(), format!("invalid query parameter {name:?}: {rule}"));
            assert_eq!(error.kind(), crate::ErrorKind::Input);
        }
        for name in
            ["q", "qualifiers", "x-tenant", "x-amzon", "X-Amzn-Bedrock-AgentCore-Runtime-Custom-Foo", "session", " "]
        {
            assert!(Parameter::new(name, "v").is_ok(), "{name:?}");
        }
        assert_eq!(Parameter::new("\r\n", "").unwrap().name, "\r\n");
    }

    #[test]
    fn debug_hides_the_value() {
        assert_eq!(format!("{:?}", Parameter::new("key", "hush").unwrap()), "Parameter(\"key\"=…)");
    }

    proptest! {
        #[test]
        fn any_text_comes_back_out_of_the_url(pairs in prop::collection::vec(any::<(String, String)>(), 1..5)) {
            let mut url = "wss://example.com/ws".to_owned();
            for (name, value) in &pairs {
                append(&mut url, name, value);
            }
            let uri: http::Uri = url.parse().unwrap();
            let query = uri.query().unwrap();
            prop_assert!(query.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%=&".contains(&byte)));
            let back: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            prop_assert_eq!(back, pairs);
        }

        #[test]
        fn no_letter_case_opens_what_is_reserved(
            name in prop::sample::select(vec!["qualifier", "accountId", "shellId", "X-Amz-Date", "X-Amzn-Trace-Id"]),
            capitals in any::<u32>(),
        ) {
            let turned = name.chars().enumerate().map(|(place, letter)| {
                if capitals >> place & 1 == 1 { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
            });
            prop_assert!(Parameter::new(&turned.collect::<String>(), "v").is_err());
        }
    }
}
