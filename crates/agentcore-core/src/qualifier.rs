//! The qualifier: the name of a runtime's endpoint, which selects a version of the agent. Asks no service whether it exists.

use std::{str::FromStr, sync::Arc};

use crate::{Error, InputKind, text::text_traits};

/// The name of an agent runtime's endpoint, such as `DEFAULT` or `prod`.
///
/// The service's names are `[a-zA-Z][a-zA-Z0-9_]{0,47}`. This type accepts any 1 to 256 characters but control characters, because
/// a qualifier is sent percent-encoded. Without one the service uses `DEFAULT`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Qualifier(Arc<str>);

text_traits!(Qualifier);

impl FromStr for Qualifier {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse = |rule| Err(Error::invalid(InputKind::Qualifier, text, rule));
        match text {
            "" => refuse("it is empty"),
            _ if text.chars().any(char::is_control) => refuse("it holds a control character"),
            _ if text.chars().count() > MAX_CHARS => refuse("it is longer than 256 characters"),
            _ => Ok(Self(text.into())),
        }
    }
}

const MAX_CHARS: usize = 256;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn grammar() {
        for good in ["DEFAULT", "prod_2", "my endpoint", "é"] {
            assert_eq!(good.parse::<Qualifier>().unwrap().as_str(), good);
        }
        for (bad, rule) in [
            ("", "it is empty"),
            ("a\r\nb", "it holds a control character"),
            (&"x".repeat(257), "it is longer than 256 characters"),
        ] {
            assert_eq!(bad.parse::<Qualifier>().unwrap_err().rule(), rule);
        }
    }
}
