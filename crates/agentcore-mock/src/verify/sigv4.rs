//! Verifies an AWS Signature Version 4, in the `authorization` header or, for a WebSocket, in the query.
//!
//! Written from the AWS documentation ("Create a signed AWS API request", "Elements of an AWS API request signature")
//! and from nothing a client signs with, so that the two check one another. It refuses what AWS would refuse, in AWS's
//! words, and is stricter in one point: the session id header must be signed where it is sent.

mod canonical;
pub(crate) mod presign;
mod timestamp;

use std::time::{Duration, SystemTime};

use agentcore_core::header::SESSION_ID;
use aws_lc_rs::{constant_time, digest, hmac};

use super::Door;
use crate::{Caller, RecordedRequest, agents::request::SECURITY_TOKEN, refusal::Refusal};

/// Verifies the parameters that follow the algorithm's name in an `authorization` header.
pub(super) fn verify(parameters: &str, request: &RecordedRequest, door: &Door<'_>) -> Result<Caller, Refusal> {
    let authorization = Authorization::parse(parameters)?;
    let stamp = single(request, "x-amz-date")
        .ok_or_else(|| incomplete("Authorization header requires existence of one 'X-Amz-Date' header."))?;
    let token = request.headers.get(SECURITY_TOKEN).map(|value| value.as_bytes());
    check_key(&authorization, token, door)?;
    check_scope(&authorization, stamp, door)?;
    check_time(stamp, door.now)?;
    check_signed_headers(&authorization, request)?;
    let query = request.query.as_deref().unwrap_or_default();
    check_signature(&authorization, request, query, stamp, door)?;
    Ok(Caller::SigV4 { access_key_id: authorization.access_key_id.to_owned() })
}

/// What a signer says of its signature.
struct Authorization<'a> {
    access_key_id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    terminator: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads `Credential=ID/DATE/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=HEX`.
    fn parse(parameters: &'a str) -> Result<Self, Refusal> {
        let mut found = [None; 3];
        for parameter in parameters.split(',') {
            let slot = parameter.trim().split_once('=').and_then(|(name, value)| {
                let index = PARAMETERS.iter().position(|known| *known == name)?;
                Some((found.get_mut(index)?, value))
            });
            match slot {
                Some((slot @ None, value)) => *slot = Some(value),
                _ => return Err(incomplete("Authorization header holds a parameter that is unknown or repeated.")),
            }
        }
        let [credential, signed_headers, signature] = found;
        let required =
            |index: usize| incomplete(format!("Authorization header requires '{}' parameter.", PARAMETERS[index]));
        let credential = credential.ok_or_else(|| required(0))?;
        let signed_headers = signed_headers.ok_or_else(|| required(1))?;
        let signature = signature.ok_or_else(|| required(2))?;
        Self::new(credential, signed_headers, signature)
    }

    fn new(credential: &'a str, signed_headers: &'a str, signature: &'a str) -> Result<Self, Refusal> {
        let [access_key_id, date, region, service, terminator] =
            credential.split('/').collect::<Vec<_>>().try_into().map_err(|_| {
                incomplete(
                    "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
                )
            })?;
        let signed_headers = signed_headers.split(';').collect();
        Ok(Self { access_key_id, date, region, service, terminator, signed_headers, signature })
    }
}

fn check_key(authorization: &Authorization<'_>, token: Option<&[u8]>, door: &Door<'_>) -> Result<(), Refusal> {
    let is_known = authorization.access_key_id == door.credentials.access_key_id()
        && token == door.credentials.session_token().map(str::as_bytes);
    if is_known {
        return Ok(());
    }
    Err(Refusal::forbidden("UnrecognizedClientException", "The security token included in the request is invalid."))
}

fn check_scope(authorization: &Authorization<'_>, stamp: &str, door: &Door<'_>) -> Result<(), Refusal> {
    let day = stamp.get(..8).unwrap_or_default();
    if authorization.terminator != TERMINATOR {
        return Err(invalid(format!("Credential should be scoped with a valid terminator: '{TERMINATOR}'.")));
    }
    if authorization.service != door.service {
        return Err(invalid(format!("Credential should be scoped to correct service: '{}'.", door.service)));
    }
    if authorization.region != door.region {
        return Err(invalid(format!("Credential should be scoped to a valid region, not '{}'.", authorization.region)));
    }
    if authorization.date != day {
        return Err(invalid(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
             '{}' != '{day}', from '{stamp}'.",
            authorization.date
        )));
    }
    Ok(())
}

fn check_time(stamp: &str, now: SystemTime) -> Result<(), Refusal> {
    let signed = timestamp::parse(stamp)
        .ok_or_else(|| incomplete("Date must be in ISO-8601 'basic format', YYYYMMDD'T'HHMMSS'Z'."))?;
    let shown = timestamp::format;
    let earliest = now - MAX_SKEW;
    if signed < earliest {
        return Err(invalid(format!(
            "Signature expired: {stamp} is now earlier than {} ({} - 5 min.)",
            shown(earliest),
            shown(now)
        )));
    }
    check_current(signed, stamp, now)
}

fn check_current(signed: SystemTime, stamp: &str, now: SystemTime) -> Result<(), Refusal> {
    let latest = now + MAX_SKEW;
    if signed > latest {
        return Err(invalid(format!(
            "Signature not yet current: {stamp} is still later than {} ({} + 5 min.)",
            timestamp::format(latest),
            timestamp::format(now)
        )));
    }
    Ok(())
}

/// Checks that the signature covers what it must, and names only what is there, in order.
fn check_signed_headers(authorization: &Authorization<'_>, request: &RecordedRequest) -> Result<(), Refusal> {
    let signed = &authorization.signed_headers;
    if !signed.is_sorted_by(|a, b| a < b) {
        return Err(invalid("SignedHeaders must be sorted, in lower case and without repetition."));
    }
    if let Some(absent) = signed.iter().find(|name| !request.headers.keys().any(|sent| sent.as_str() == **name)) {
        return Err(invalid(format!("'{absent}' is a 'SignedHeader' in the AWS Authorization but is not sent.")));
    }
    let must_be_signed = |name: &str| name == "host" || name.starts_with("x-amz-") || *name == SESSION_ID;
    let sent = request.headers.keys().map(|name| name.as_str());
    match ["host"].into_iter().chain(sent).find(|name| must_be_signed(name) && !signed.contains(name)) {
        Some(unsigned) => Err(invalid(format!("'{unsigned}' must be a 'SignedHeader' in the AWS Authorization."))),
        None => Ok(()),
    }
}

/// Signs the request with the door's key, under the given query, and compares.
fn check_signature(
    authorization: &Authorization<'_>,
    request: &RecordedRequest,
    query: &str,
    stamp: &str,
    door: &Door<'_>,
) -> Result<(), Refusal> {
    let body_hash = hex(digest::digest(&digest::SHA256, &request.body).as_ref());
    let canonical = canonical::request(request, query, &authorization.signed_headers, &body_hash);
    let scope = [authorization.date, authorization.region, authorization.service, authorization.terminator];
    let string_to_sign = string_to_sign(stamp, &scope, &canonical);
    let signature = signature(door.credentials.secret_access_key(), &scope, &string_to_sign);
    constant_time::verify_slices_are_equal(signature.as_bytes(), authorization.signature.as_bytes())
        .map_err(|_| mismatch())
}

fn string_to_sign(stamp: &str, scope: &[&str; 4], canonical_request: &[u8]) -> String {
    let hash = hex(digest::digest(&digest::SHA256, canonical_request).as_ref());
    format!("{ALGORITHM}\n{stamp}\n{}\n{hash}", scope.join("/"))
}

/// Derives the signing key along the scope and signs with it.
fn signature(secret_access_key: &str, scope: &[&str; 4], string_to_sign: &str) -> String {
    let mut key = format!("AWS4{secret_access_key}").into_bytes();
    for part in scope.iter().chain([&string_to_sign]) {
        key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec();
    }
    hex(&key)
}

/// A header's value as text, if it was sent once.
fn single<'a>(request: &'a RecordedRequest, name: &str) -> Option<&'a str> {
    let mut values = request.headers.get_all(name).iter();
    values.next()?.to_str().ok().filter(|_| values.next().is_none())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn incomplete(message: impl Into<String>) -> Refusal {
    Refusal::forbidden("IncompleteSignatureException", message)
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::forbidden("InvalidSignatureException", message)
}

fn mismatch() -> Refusal {
    invalid(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details.",
    )
}

/// The name of the algorithm, as the `authorization` header begins with it.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

const TERMINATOR: &str = "aws4_request";

const PARAMETERS: [&str; 3] = ["Credential", "SignedHeaders", "Signature"];

/// How far the signer's clock may be from the verifier's.
const MAX_SKEW: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests;
