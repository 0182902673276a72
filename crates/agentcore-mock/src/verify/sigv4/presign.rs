//! Verifies the signature in the query of a presigned URL ("Authenticating Requests: Using Query Parameters"). Takes no
//! body: a handshake has none.

use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::{
    ALGORITHM, Authorization, SigV4Verifier, check_signed_headers, incomplete, invalid, parse_date, timestamp,
};
use crate::{
    record::{Caller, RecordedRequest},
    service_error::ServiceError,
};

/// Returns whether a request is signed in its query.
pub(in crate::verify) fn is_presigned(request: &RecordedRequest) -> bool {
    request.parameters().iter().any(|(name, _)| name.starts_with(PREFIX))
}

/// Returns whether a parameter of this name holds a credential.
pub(crate) fn is_credential_parameter(name: &str) -> bool {
    [SIGNATURE, SECURITY_TOKEN].contains(&name)
}

impl SigV4Verifier<'_> {
    /// Verifies the query of a presigned URL.
    pub(in crate::verify) fn verify_presigned(&self, request: &RecordedRequest) -> Result<Caller, ServiceError> {
        let parameters = request.parameters();
        let parameter = |wanted: &str| {
            let mut values = parameters.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
            let value = values.next();
            match values.next() {
                Some(_) => Err(incomplete(format!("AWS query-string parameter '{wanted}' is repeated."))),
                None => Ok(value),
            }
        };
        let required = |wanted: &str| {
            parameter(wanted)?
                .ok_or_else(|| incomplete(format!("AWS query-string parameters must include '{wanted}'.")))
        };
        if required("X-Amz-Algorithm")? != ALGORITHM {
            return Err(incomplete(format!("AWS query-string parameter 'X-Amz-Algorithm' must be '{ALGORITHM}'.")));
        }
        let credential = required("X-Amz-Credential")?;
        let [date, expires, signed_headers, signature] =
            [required("X-Amz-Date")?, required(EXPIRES)?, required("X-Amz-SignedHeaders")?, required(SIGNATURE)?];
        let authorization = Authorization::new(credential, signed_headers, signature)?;
        self.check_key(&authorization, parameter(SECURITY_TOKEN)?.map(str::as_bytes))?;
        self.check_scope(&authorization, date)?;
        self.check_expiry(date, expires)?;
        check_signed_headers(&authorization, request)?;
        let query = request.query.as_deref().unwrap_or_default();
        self.check_signature(&authorization, request, &signed_query(query), date)?;
        Ok(Caller::SigV4 { access_key_id: authorization.access_key_id.to_owned() })
    }

    /// Checks that the URL is valid now: not more than 5 minutes before it was signed, and not after it expires.
    fn check_expiry(&self, date: &str, expires: &str) -> Result<(), ServiceError> {
        let signed = parse_date(date)?;
        let lifetime = Some(expires)
            .filter(|expires| !expires.starts_with('+'))
            .and_then(|expires| expires.parse().ok())
            .filter(|seconds| (1..=MAX_EXPIRES).contains(seconds))
            .ok_or_else(|| invalid(format!("'{EXPIRES}' must be a number of seconds from 1 to {MAX_EXPIRES}.")))?;
        let end = signed + Duration::from_secs(lifetime);
        if end < self.now {
            return Err(invalid(format!(
                "Signature expired: {} is now earlier than {} ({date} + {lifetime} s)",
                timestamp::format(end),
                timestamp::format(self.now)
            )));
        }
        self.check_not_before(signed, date)
    }
}

/// Returns the query that was signed: all of it but the signature.
fn signed_query(query: &str) -> String {
    let name =
        |parameter: &str| percent_decode_str(parameter.split('=').next().unwrap_or_default()).collect::<Vec<u8>>();
    query.split('&').filter(|parameter| name(parameter) != SIGNATURE.as_bytes()).collect::<Vec<_>>().join("&")
}

/// The longest lifetime of a presigned URL in seconds: the constant of the official SDK for Python.
const MAX_EXPIRES: u64 = 300;

/// What the names begin with; those of AgentCore's own parameters begin with `X-Amzn-`.
const PREFIX: &str = "X-Amz-";

const EXPIRES: &str = "X-Amz-Expires";
const SECURITY_TOKEN: &str = "X-Amz-Security-Token";
const SIGNATURE: &str = "X-Amz-Signature";

#[cfg(test)]
mod tests;
