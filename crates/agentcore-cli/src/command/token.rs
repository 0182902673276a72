//! `acore token`: shows the token that would be sent, or what it says of itself.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agentcore_client::{Token, auth::token::jwt};
use clap::Args;
use serde_json::{Map, Value};

use crate::{context::Context, errors::Failure, output::Output};

/// Prints the bearer token that would be sent; keep it secret
///
/// It is got or renewed as for a call, and whoever has it can invoke the agent.
#[derive(Args)]
#[command(after_help = "\
A fleet of machines shares one token by --token-store. AGENTCORE_TOKEN_STORE_KEY encrypts it, the \
same on each machine (made by `openssl rand -base64 32`). While the key is rotated, \
AGENTCORE_TOKEN_STORE_OTHER_KEY is read too.

Example: acore token --claims --bearer-token - < token.txt")]
pub(super) struct TokenFlags {
    /// Prints the token's claims as JSON, unverified, with `expires_in` seconds, and not the token
    #[arg(long)]
    claims: bool,
}

impl TokenFlags {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let token = context.token().await?;
        if !self.claims {
            return Output::default().line(token.expose());
        }
        let claims = jwt::claims(token.expose()).ok_or_else(|| {
            Failure::usage("the token has no claims: it is not a JSON Web Token").hint("without --claims it is printed")
        })?;
        Output::default().object(&shown(claims, &token, SystemTime::now()))
    }
}

/// Adds the seconds that are left to the claims; negative for an expired token.
fn shown(mut claims: Map<String, Value>, token: &Token, now: SystemTime) -> Map<String, Value> {
    let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    if let Some(at) = token.expires_at() {
        let left = i64::try_from(since(at)).unwrap_or(i64::MAX) - i64::try_from(since(now)).unwrap_or(i64::MAX);
        claims.insert("expires_in".into(), left.into());
    }
    claims
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn what_is_left_of_a_life() {
        // {"exp":2000000000}
        let token = Token::parse("e30.eyJleHAiOjIwMDAwMDAwMDB9.c2ln").unwrap();
        for (now, left) in [(1_999_999_990, 10), (2_000_000_000, 0), (2_000_000_060, -60)] {
            let claims = shown(jwt::claims(token.expose()).unwrap(), &token, UNIX_EPOCH + Duration::from_secs(now));
            assert_eq!(Value::Object(claims), serde_json::json!({"exp": 2_000_000_000, "expires_in": left}));
        }
    }
}
