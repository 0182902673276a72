//! The token and AWS credentials that `acore mock` prints for copying, each as `NAME=VALUE`.

use super::peer::Peer;
use crate::Outcome;

/// The environment that makes a program a caller of the mock.
#[derive(Debug)]
pub(super) struct Credentials {
    /// `AGENTCORE_BEARER_TOKEN`.
    pub(super) token: String,
    /// The standard AWS variables: key, secret, and session token.
    pub(super) aws: [(&'static str, String); 3],
}

impl Credentials {
    /// Reads the mock's output up to the last of them.
    pub(super) fn read(mock: &Peer) -> Outcome<Self> {
        let mut found = NAMES.map(|_| None);
        while found.iter().any(Option::is_none) {
            let line = mock.line()?.ok_or("acore mock ended without printing credentials")?;
            for (name, value) in NAMES.iter().zip(&mut found) {
                *value = value.take().or_else(|| assigned(&line, name));
            }
        }
        let [token, key, secret, session] = found.map(Option::unwrap_or_default);
        let [_, key_name, secret_name, session_name] = NAMES;
        Ok(Self { token, aws: [(key_name, key), (secret_name, secret), (session_name, session)] })
    }
}

/// The value that a line of shell gives to a variable.
fn assigned(line: &str, name: &str) -> Option<String> {
    let (_, value) = line.split_once(name)?;
    let value = value.strip_prefix('=')?.split_whitespace().next()?;
    Some(value.trim_matches(['\'', '"']).to_owned())
}

const NAMES: [&str; 4] = ["AGENTCORE_BEARER_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_gives_its_value() {
        let cases = [
            ("export AWS_ACCESS_KEY_ID=ASIA1", Some("ASIA1")),
            ("AWS_ACCESS_KEY_ID='a/b+c=' acore", Some("a/b+c=")),
            ("  AWS_ACCESS_KEY_ID=\"x\"", Some("x")),
            ("AWS_ACCESS_KEY_ID", None),
            ("AWS_ACCESS_KEY_ID_2=x", None),
            ("nothing", None),
        ];
        for (line, expected) in cases {
            assert_eq!(assigned(line, "AWS_ACCESS_KEY_ID").as_deref(), expected, "{line}");
        }
    }
}
