//! Verifies a signature in the query, as a presigned URL carries it ("Authenticating Requests: Using Query Parameters").
//! Takes no signature of a body: it is for handshakes, which have none.

use std::time::{Duration, SystemTime};

use super::{
    ALGORITHM, Authorization, check_current, check_key, check_scope, check_signature, check_signed_headers, incomplete,
    invalid, timestamp,
};
use crate::{Caller, RecordedRequest, agents::decimal, encode, refusal::Refusal, verify::Door};

/// Whether a request says that it is signed in its query.
pub(in crate::verify) fn is_presigned(request: &RecordedRequest) -> bool {
    let query = request.query.as_deref().unwrap_or_default();
    encode::parameters(query).iter().any(|(name, _)| name.starts_with(PREFIX))
}

/// Verifies the query of a presigned URL.
pub(in crate::verify) fn verify(request: &RecordedRequest, door: &Door<'_>) -> Result<Caller, Refusal> {
    let query = request.query.as_deref().unwrap_or_default();
    let parameters = encode::parameters(query);
    let parameter = |wanted: &str| {
        let mut values = parameters.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let value = values.next();
        match values.next() {
            Some(_) => Err(incomplete(format!("AWS query-string parameter '{wanted}' is repeated."))),
            None => Ok(value),
        }
    };
    let required = |wanted: &str| {
        parameter(wanted)?.ok_or_else(|| incomplete(format!("AWS query-string parameters must include '{wanted}'.")))
    };
    if required("X-Amz-Algorithm")? != ALGORITHM {
        return Err(incomplete(format!("AWS query-string parameter 'X-Amz-Algorithm' must be '{ALGORITHM}'.")));
    }
    let [credential, stamp, expires, signed_headers, signature] =
        [required("X-Amz-Credential")?, required(DATE)?, required(EXPIRES)?, required(HEADERS)?, required(SIGNATURE)?];
    let authorization = Authorization::new(credential, signed_headers, signature)?;
    check_key(&authorization, parameter(SECURITY_TOKEN)?.map(str::as_bytes), door)?;
    check_scope(&authorization, stamp, door)?;
    check_time(stamp, expires, door.now)?;
    check_signed_headers(&authorization, request)?;
    check_signature(&authorization, request, &signed(query), stamp, door)?;
    Ok(Caller::SigV4 { access_key_id: authorization.access_key_id.to_owned() })
}

/// Whether a parameter of this name holds a secret.
pub(crate) fn is_secret(parameter: &str) -> bool {
    [SIGNATURE, SECURITY_TOKEN].contains(&parameter)
}

/// Checks that the URL is good at this moment: from when it was signed, or 5 minutes before, to when it expires.
fn check_time(stamp: &str, expires: &str, now: SystemTime) -> Result<(), Refusal> {
    let signed = timestamp::parse(stamp)
        .ok_or_else(|| incomplete("Date must be in ISO-8601 'basic format', YYYYMMDD'T'HHMMSS'Z'."))?;
    let life = decimal(expires)
        .filter(|seconds| (1..=MAX_EXPIRES).contains(seconds))
        .ok_or_else(|| invalid(format!("'{EXPIRES}' must be a number of seconds from 1 to {MAX_EXPIRES}.")))?;
    let end = signed + Duration::from_secs(life.into());
    if end < now {
        return Err(invalid(format!(
            "Signature expired: {} is now earlier than {} ({stamp} + {life} s)",
            timestamp::format(end),
            timestamp::format(now)
        )));
    }
    check_current(signed, stamp, now)
}

/// The query that was signed: all of it but the signature.
fn signed(query: &str) -> String {
    let is_signed = |parameter: &&str| encode::parameters(parameter).iter().all(|(name, _)| name != SIGNATURE);
    query.split('&').filter(is_signed).collect::<Vec<_>>().join("&")
}

/// The longest life of a presigned URL in seconds: the constant of the official SDK for Python.
const MAX_EXPIRES: u32 = 300;

/// What the names begin with; those of AgentCore's own parameters begin with `X-Amzn-`.
const PREFIX: &str = "X-Amz-";

const DATE: &str = "X-Amz-Date";
const EXPIRES: &str = "X-Amz-Expires";
const HEADERS: &str = "X-Amz-SignedHeaders";
const SECURITY_TOKEN: &str = "X-Amz-Security-Token";
const SIGNATURE: &str = "X-Amz-Signature";

#[cfg(test)]
mod tests;
