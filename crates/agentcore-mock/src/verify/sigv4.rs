//! Verifies an AWS Signature Version 4, in the `authorization` header or, for a WebSocket, in the query.
//!
//! Written from the AWS documentation ("Create a signed AWS API request", "Elements of an AWS API request signature")
//! and not from a client's signer, so that the two check one another. Refuses what AWS refuses, by AWS's messages.

mod canonical;
pub(crate) mod presign;
mod timestamp;

use std::time::{Duration, SystemTime};

use aws_lc_rs::{constant_time, digest, hmac};
use http::header;

use super::credentials::Credentials;
use crate::{
    record::{Caller, RecordedRequest},
    service_error::ServiceError,
};

pub(crate) use canonical::percent_encode;

/// Verifies signatures by one key, scoped to one region and service, at one time.
pub(crate) struct SigV4Verifier<'a> {
    pub(crate) credentials: &'a Credentials,
    pub(crate) region: &'a str,
    pub(crate) service: &'static str,
    pub(crate) now: SystemTime,
}

impl SigV4Verifier<'_> {
    /// Verifies the signature in the `authorization` header.
    pub(crate) fn verify(&self, request: &RecordedRequest) -> Result<Caller, ServiceError> {
        match request.header(header::AUTHORIZATION.as_str()).unwrap_or_default().split_once(' ') {
            Some((ALGORITHM, parameters)) => self.verify_parameters(parameters, request),
            _ => Err(missing()),
        }
    }

    /// Verifies the parameters that follow the algorithm's name in an `authorization` header.
    pub(super) fn verify_parameters(
        &self,
        parameters: &str,
        request: &RecordedRequest,
    ) -> Result<Caller, ServiceError> {
        let authorization = Authorization::parse(parameters)?;
        let date = single(request, "x-amz-date")
            .ok_or_else(|| incomplete("Authorization header requires existence of one 'X-Amz-Date' header."))?;
        let token = request.headers.get(SECURITY_TOKEN).map(|value| value.as_bytes());
        self.check_key(&authorization, token)?;
        self.check_scope(&authorization, date)?;
        self.check_time(date)?;
        check_signed_headers(&authorization, request)?;
        self.check_signature(&authorization, request, request.query.as_deref().unwrap_or_default(), date)?;
        Ok(Caller::SigV4 { access_key_id: authorization.access_key_id.to_owned() })
    }

    fn check_key(&self, authorization: &Authorization<'_>, token: Option<&[u8]>) -> Result<(), ServiceError> {
        let is_known = authorization.access_key_id == self.credentials.access_key_id()
            && token == self.credentials.session_token().map(str::as_bytes);
        if is_known {
            return Ok(());
        }
        let message = "The security token included in the request is invalid.";
        Err(ServiceError::forbidden("UnrecognizedClientException", message))
    }

    fn check_scope(&self, authorization: &Authorization<'_>, date: &str) -> Result<(), ServiceError> {
        let [scoped_day, region, service, terminator] = authorization.scope;
        let day = date.get(..8).unwrap_or_default();
        if terminator != TERMINATOR {
            return Err(invalid(format!("Credential should be scoped with a valid terminator: '{TERMINATOR}'.")));
        }
        if service != self.service {
            return Err(invalid(format!("Credential should be scoped to correct service: '{}'.", self.service)));
        }
        if region != self.region {
            return Err(invalid(format!("Credential should be scoped to a valid region, not '{region}'.")));
        }
        if scoped_day != day {
            return Err(invalid(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                 '{scoped_day}' != '{day}', from '{date}'."
            )));
        }
        Ok(())
    }

    fn check_time(&self, date: &str) -> Result<(), ServiceError> {
        let signed = parse_date(date)?;
        let earliest = self.now - MAX_SKEW;
        if signed < earliest {
            return Err(invalid(format!(
                "Signature expired: {date} is now earlier than {} ({} - 5 min.)",
                timestamp::format(earliest),
                timestamp::format(self.now)
            )));
        }
        self.check_not_before(signed, date)
    }

    fn check_not_before(&self, signed: SystemTime, date: &str) -> Result<(), ServiceError> {
        let latest = self.now + MAX_SKEW;
        if signed > latest {
            return Err(invalid(format!(
                "Signature not yet current: {date} is still later than {} ({} + 5 min.)",
                timestamp::format(latest),
                timestamp::format(self.now)
            )));
        }
        Ok(())
    }

    /// Signs the request under the given query, and compares the signatures.
    fn check_signature(
        &self,
        authorization: &Authorization<'_>,
        request: &RecordedRequest,
        query: &str,
        date: &str,
    ) -> Result<(), ServiceError> {
        let body_hash = hex::encode(digest::digest(&digest::SHA256, &request.body));
        let canonical = canonical::request(request, query, &authorization.signed_headers, &body_hash);
        let string_to_sign = string_to_sign(date, &authorization.scope, &canonical);
        let signature = signature(self.credentials.secret_access_key(), &authorization.scope, &string_to_sign);
        constant_time::verify_slices_are_equal(signature.as_bytes(), authorization.signature.as_bytes()).map_err(|_| {
            invalid(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                 Access Key and signing method. Consult the service documentation for details.",
            )
        })
    }
}

/// The parameters of a signature.
struct Authorization<'a> {
    access_key_id: &'a str,
    /// The day, the region, the service and the terminator.
    scope: [&'a str; 4],
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads `Credential=ID/DATE/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=HEX`.
    fn parse(parameters: &'a str) -> Result<Self, ServiceError> {
        let mut found = [None; 3];
        for parameter in parameters.split(',') {
            let (name, value) = parameter.trim().split_once('=').unwrap_or_default();
            match PARAMETERS.iter().position(|known| *known == name) {
                Some(index) if found[index].is_none() => found[index] = Some(value),
                _ => return Err(incomplete("Authorization header holds a parameter that is unknown or repeated.")),
            }
        }
        let required = |index: usize| {
            let name = PARAMETERS[index];
            found[index].ok_or_else(|| incomplete(format!("Authorization header requires '{name}' parameter.")))
        };
        Self::new(required(0)?, required(1)?, required(2)?)
    }

    fn new(credential: &'a str, signed_headers: &'a str, signature: &'a str) -> Result<Self, ServiceError> {
        let elements: [&str; 5] = credential.split('/').collect::<Vec<_>>().try_into().map_err(|_| {
            incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.")
        })?;
        let [access_key_id, scope @ ..] = elements;
        Ok(Self { access_key_id, scope, signed_headers: signed_headers.split(';').collect(), signature })
    }
}

/// Checks that the signature covers the required headers, and only headers that are present, in order.
fn check_signed_headers(authorization: &Authorization<'_>, request: &RecordedRequest) -> Result<(), ServiceError> {
    let signed = &authorization.signed_headers;
    if !signed.is_sorted_by(|a, b| a < b) {
        return Err(invalid("SignedHeaders must be sorted, in lower case and without repetition."));
    }
    if let Some(absent) = signed.iter().find(|name| !request.headers.keys().any(|sent| sent.as_str() == **name)) {
        return Err(invalid(format!("'{absent}' is a 'SignedHeader' in the AWS Authorization but is not sent.")));
    }
    let must_be_signed = |name: &str| name == "host" || name.starts_with("x-amz-");
    let sent = request.headers.keys().map(|name| name.as_str());
    match ["host"].into_iter().chain(sent).find(|name| must_be_signed(name) && !signed.contains(name)) {
        Some(unsigned) => Err(invalid(format!("'{unsigned}' must be a 'SignedHeader' in the AWS Authorization."))),
        None => Ok(()),
    }
}

fn string_to_sign(date: &str, scope: &[&str; 4], canonical_request: &[u8]) -> String {
    let hash = hex::encode(digest::digest(&digest::SHA256, canonical_request));
    format!("{ALGORITHM}\n{date}\n{}\n{hash}", scope.join("/"))
}

/// Derives the signing key along the scope and signs with it.
fn signature(secret_access_key: &str, scope: &[&str; 4], string_to_sign: &str) -> String {
    let mut key = format!("AWS4{secret_access_key}").into_bytes();
    for part in scope.iter().chain([&string_to_sign]) {
        key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec();
    }
    hex::encode(key)
}

/// Returns a header's value as text, if it was sent once.
fn single<'a>(request: &'a RecordedRequest, name: &str) -> Option<&'a str> {
    let mut values = request.headers.get_all(name).iter();
    values.next()?.to_str().ok().filter(|_| values.next().is_none())
}

fn parse_date(date: &str) -> Result<SystemTime, ServiceError> {
    timestamp::parse(date).ok_or_else(|| incomplete("Date must be in ISO-8601 'basic format', YYYYMMDD'T'HHMMSS'Z'."))
}

pub(super) fn missing() -> ServiceError {
    ServiceError::forbidden("MissingAuthenticationTokenException", "Missing Authentication Token")
}

fn incomplete(message: impl Into<String>) -> ServiceError {
    ServiceError::forbidden("IncompleteSignatureException", message)
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::forbidden("InvalidSignatureException", message)
}

/// The name of the algorithm, as the `authorization` header begins with it.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The header of the session token of temporary credentials.
pub(super) const SECURITY_TOKEN: &str = "x-amz-security-token";

const TERMINATOR: &str = "aws4_request";

const PARAMETERS: [&str; 3] = ["Credential", "SignedHeaders", "Signature"];

/// How far the signer's clock may be from the verifier's.
const MAX_SKEW: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests;
