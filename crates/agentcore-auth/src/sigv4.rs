//! AWS Signature Version 4 for AgentCore Runtime, as a pure function of request, credentials, region and time.
//!
//! The service wants its name `bedrock-agentcore`, the path encoded twice and normalised, and no `x-amz-content-sha256`
//! header. All headers present are signed but those that others may change on the way; botocore signs the same set.

use std::time::SystemTime;

use agentcore_core::{Region, header};
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{self, SignableBody, SignableRequest, SigningSettings},
    sign::v4,
};
use bytes::Bytes;
use http::Request;

use crate::{BoxError, Error, ErrorKind};

/// The service's name in the credential scope.
pub const SERVICE: &str = "bedrock-agentcore";

/// Signs a request in its headers: adds `Authorization`, `X-Amz-Date` and, for temporary credentials,
/// `X-Amz-Security-Token`.
///
/// A second call replaces the first one's headers, so a retried request is signed anew. The whole body is hashed
/// (SHA-256), which costs about a second per 500 MB.
///
/// # Errors
/// If a header's value is not text, or the URL is not one.
pub fn sign(
    request: &mut Request<Bytes>,
    credentials: &Credentials,
    region: &Region,
    at: SystemTime,
) -> Result<(), Error> {
    let failed = |what: &str, cause: BoxError| Error::new(ErrorKind::Signing, what).with_source(cause);
    for name in ["authorization", "x-amz-date", "x-amz-security-token"] {
        request.headers_mut().remove(name);
    }
    let mut settings = SigningSettings::default();
    let unsigned =
        [header::TRACEPARENT, header::TRACESTATE, header::BAGGAGE].map(|name| name.as_str().to_owned().into());
    settings.excluded_headers.get_or_insert_default().extend(unsigned);
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region.as_str())
        .name(SERVICE)
        .time(at)
        .settings(settings)
        .build()
        .map_err(|error| failed("the signature's parameters are incomplete", error.into()))?;
    let mut headers = Vec::with_capacity(request.headers().len());
    for (name, value) in request.headers() {
        let value = value.to_str().map_err(|error| failed("a header to sign is not text", error.into()))?;
        headers.push((name.as_str(), value));
    }
    let uri = request.uri().to_string();
    let body = SignableBody::Bytes(request.body());
    let signable = SignableRequest::new(request.method().as_str(), uri, headers.into_iter(), body)
        .map_err(|error| failed("the request cannot be signed", error.into()))?;
    let (instructions, _signature) = http_request::sign(signable, &params.into())
        .map_err(|error| failed("the request cannot be signed", error.into()))?
        .into_parts();
    instructions.apply_to_request_http1x(request);
    // A signature is good for minutes, a session token for hours: neither belongs into a log or a compression table.
    for name in ["authorization", "x-amz-security-token"] {
        if let Some(value) = request.headers_mut().get_mut(name) {
            value.set_sensitive(true);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_second_signature_replaces_the_first() {
        let region = "us-east-1".parse().unwrap();
        let first = Credentials::new("FIRST", "s", Some("token".into()), None, "test");
        let second = Credentials::new("SECOND", "s", None, None, "test");
        let mut request = Request::post("https://example.com/a%20b?x=%2F").body(Bytes::from_static(b"{}")).unwrap();
        let at = UNIX_EPOCH + Duration::from_secs(1_755_261_296);
        sign(&mut request, &first, &region, at).unwrap();
        assert!(request.headers().contains_key("x-amz-security-token"));
        sign(&mut request, &second, &region, at + Duration::from_secs(1)).unwrap();
        assert_eq!(request.headers()["x-amz-date"], "20250815T123457Z");
        assert!(!request.headers().contains_key("x-amz-security-token"));
        let authorization = request.headers()["authorization"].to_str().unwrap();
        assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=SECOND/20250815/us-east-1/bedrock-agentcore/"));
        assert_eq!(request.headers().get_all("authorization").iter().count(), 1);
        assert!(request.headers()["authorization"].is_sensitive());
    }
}
