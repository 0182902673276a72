//! Whom a credential stands for, as far as answers may be shared. Grants nothing, and verifies nothing.

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::token::jwt;

/// Whom a credential stands for. Equal principals may see each other's cached answers.
///
/// `Debug` prints nothing of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Principal(Arc<str>);

impl Principal {
    /// Makes a principal of a name that the caller chose, such as a tenant's.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(format!("name {name}").into())
    }

    /// Returns whom a token stands for; see [`Token::principal`](crate::Token::principal).
    pub(crate) fn of_token(token: &str) -> Self {
        let Some(claims) = jwt::claims(token) else { return Self(format!("token {token}").into()) };
        let lasting = claims.into_iter().filter(|(name, _)| !OF_ONE_TOKEN.contains(&name.as_str()));
        Self(format!("claims {:?}", lasting.collect::<BTreeMap<_, _>>()).into())
    }

    pub(crate) fn nobody() -> Self {
        Self("nobody".into())
    }

    pub(crate) fn of_access_key(id: &str) -> Self {
        Self(format!("key {id}").into())
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Principal(…)")
    }
}

/// The claims that differ between two tokens of one principal: RFC 7519 section 4.1, OpenID Connect Core section 2, and those of
/// Amazon Cognito.
const OF_ONE_TOKEN: [&str; 8] = ["exp", "iat", "nbf", "jti", "auth_time", "at_hash", "origin_jti", "event_id"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_the_same() {
        // Claims by hand, encoded by coreutils' base64: {"sub":"ada","exp":1,"jti":"a"}, {"jti":"b","exp":2,"sub":"ada"},
        // {"sub":"joe","exp":1,"jti":"a"}, {"sub":"ada","scope":"admin"}.
        let token = |claims: &str| format!("eyJhbGciOiJSUzI1NiJ9.{claims}.c2ln");
        let ada = token("eyJzdWIiOiJhZGEiLCJleHAiOjEsImp0aSI6ImEifQ");
        let again = token("eyJqdGkiOiJiIiwiZXhwIjoyLCJzdWIiOiJhZGEifQ");
        let joe = token("eyJzdWIiOiJqb2UiLCJleHAiOjEsImp0aSI6ImEifQ");
        let admin = token("eyJzdWIiOiJhZGEiLCJzY29wZSI6ImFkbWluIn0");
        for (one, other, same) in
            [(&*ada, &*again, true), (&ada, &joe, false), (&ada, &admin, false), ("a", "a", true), ("a", "b", false)]
        {
            assert_eq!(Principal::of_token(one) == Principal::of_token(other), same, "{one} {other}");
        }
        assert_ne!(Principal::named("a"), Principal::of_access_key("a"));
        assert_eq!(format!("{:?}", Principal::named("hush")), "Principal(…)");
    }
}
