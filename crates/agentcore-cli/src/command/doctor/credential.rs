//! What a token or AWS credentials say of themselves, against what a runtime checks. Sends nothing.

use std::time::{Duration, SystemTime};

use agentcore_client::{Credentials, Token, auth::token::jwt, duration_in_words};
use serde_json::Value;

use super::diagnosis::Diagnosis;
use crate::errors::{Exit, Failure};

/// Looks at a token. `trusted` are the issuers that the runtime names, if it names some.
pub(super) fn token(
    diagnosis: &mut Diagnosis,
    token: &Token,
    trusted: &[String],
    now: SystemTime,
) -> Result<(), Failure> {
    lifetime(diagnosis, "token", token.expires_at(), now, "get a new token from its issuer")?;
    let Some(claims) = jwt::claims(token.expose()) else {
        let message = "it is no JSON Web Token, and nothing can be read of it";
        return diagnosis.warn("claims", message, "a runtime's JWT authorizer takes JSON Web Tokens only");
    };
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    match text("iss") {
        None => refused(diagnosis, "it names no issuer (iss), by which a runtime finds its keys")?,
        Some(issuer) if trusted.is_empty() => diagnosis.ok("issuer", issuer)?,
        Some(issuer) if trusted.iter().any(|trusted| is_same(trusted, issuer)) => {
            diagnosis.ok("issuer", format!("{issuer}, which the runtime trusts"))?;
        }
        Some(issuer) => {
            let message = format!("the token is of {issuer}, and the runtime trusts {}", trusted.join(", "));
            refused(diagnosis, &message)?;
        }
    }
    let not_before = claims.get("nbf").and_then(Value::as_u64).map(Duration::from_secs);
    if not_before.and_then(|begin| SystemTime::UNIX_EPOCH.checked_add(begin)).is_some_and(|begin| begin > now) {
        refused(diagnosis, "it is not valid yet (nbf)")?;
    }
    let audience = claims.get("aud").map(|audience| match audience {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    match (text("client_id"), audience) {
        (None, None) => {
            let message = "it has neither client_id nor aud, and matches no allowed client and no allowed audience";
            diagnosis.warn("claims", message, "a runtime that allows every client of the issuer takes it")
        }
        (client, audience) => {
            let client = client.map(|client| format!("client_id {client}"));
            let audience = audience.map(|audience| format!("aud {audience}"));
            let both: Vec<String> = client.into_iter().chain(audience).collect();
            diagnosis.ok("claims", format!("{}: the runtime must allow it", both.join(", ")))
        }
    }
}

/// Looks at AWS credentials, of which only the kind and the place are told.
pub(super) fn keys(
    diagnosis: &mut Diagnosis,
    keys: &Credentials,
    place: String,
    now: SystemTime,
) -> Result<(), Failure> {
    let kind = if keys.session_token().is_some() { "temporary" } else { "long-term" };
    diagnosis.ok("credentials", format!("{kind} AWS credentials {place}"))?;
    match keys.expiry() {
        None => Ok(()),
        expiry => lifetime(diagnosis, "expiry", expiry, now, "get new AWS credentials, such as by `aws sso login`"),
    }
}

fn lifetime(
    diagnosis: &mut Diagnosis,
    check: &'static str,
    expiry: Option<SystemTime>,
    now: SystemTime,
    hint: &str,
) -> Result<(), Failure> {
    let Some(expiry) = expiry else { return diagnosis.ok(check, "it does not say when it expires") };
    match expiry.duration_since(now) {
        Ok(left) if left > MARGIN => diagnosis.ok(check, format!("it is good for {}", duration_in_words(left))),
        Ok(left) => diagnosis.warn(check, format!("it expires in {}", duration_in_words(left)), hint),
        Err(past) => {
            let message = format!("it expired {} ago", duration_in_words(past.duration()));
            diagnosis.fail(check, &Failure::new(Exit::Refused, message).hint(hint))
        }
    }
}

fn refused(diagnosis: &mut Diagnosis, message: &str) -> Result<(), Failure> {
    diagnosis
        .fail("issuer", &Failure::new(Exit::Refused, message).hint("get a token of an issuer that the runtime trusts"))
}

fn is_same(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

/// A call may take as long as this to reach the service.
const MARGIN: Duration = Duration::from_secs(120);
