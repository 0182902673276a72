//! AWS Signature Version 4 for AgentCore Runtime, as a pure function of request, credentials, region and time.
//!
//! The service expects its name `bedrock-agentcore`, the path encoded twice and normalised, and no `x-amz-content-sha256`
//! header. All headers are signed but those that proxies may change; botocore signs the same set.
//!
//! A WebSocket is opened by a `GET`, so `ws` and `wss` URLs are signed as `http` and `https` ones.

use std::{
    fmt::Write as _,
    time::{Duration, SystemTime},
};

use agentcore_core::{Region, header, percent_encode};
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{self, SignableBody, SignableRequest, SignatureLocation, SigningInstructions, SigningSettings},
    sign::v4,
};
use bytes::Bytes;
use http::{Request, Uri};
use tracing::{
    level_filters::LevelFilter,
    subscriber::{NoSubscriber, with_default},
};

use crate::{BoxError, Error, ErrorKind, credentials};

/// The service's name in the credential scope.
pub const SERVICE: &str = "bedrock-agentcore";

/// Signs a request in its headers: adds `Authorization`, `X-Amz-Date` and, for temporary credentials,
/// `X-Amz-Security-Token`.
///
/// A second call replaces the first one's headers, so a retried request is signed again. The whole body is hashed
/// (SHA-256), which costs about a second per 500 MB.
///
/// # Errors
/// If a header's value is not text, the URL names no host or is too long, or the credentials have expired by `at` or hold what no
/// credential holds.
pub fn sign(
    request: &mut Request<Bytes>,
    credentials: &Credentials,
    region: &Region,
    at: SystemTime,
) -> Result<(), Error> {
    for name in ["authorization", "x-amz-date", "x-amz-security-token"] {
        request.headers_mut().remove(name);
    }
    let mut settings = SigningSettings::default();
    let unsigned =
        [header::TRACEPARENT, header::TRACESTATE, header::BAGGAGE].map(|name| name.as_str().to_owned().into());
    settings.excluded_headers.get_or_insert_default().extend(unsigned);
    instructions(request, credentials, region, at, settings)?.apply_to_request_http1x(request);
    // A signature is good for minutes, a session token for hours: neither may get into a log or a compression table.
    for name in ["authorization", "x-amz-security-token"] {
        if let Some(value) = request.headers_mut().get_mut(name) {
            value.set_sensitive(true);
        }
    }
    Ok(())
}

/// Signs a URL in its query. The result is a secret: it lets its holder send a bodiless `GET` until it expires.
///
/// The parameters are appended in the order botocore gives them, the signature last. Those that are there already are
/// covered by the signature; they must be percent-encoded, a space as `%20`. The host is the one header that is signed.
///
/// # Errors
/// If the URL names no host or is too long, or the credentials have expired by `at` or hold what no credential holds.
pub fn presign(
    url: &Uri,
    credentials: &Credentials,
    region: &Region,
    at: SystemTime,
    expires: Duration,
) -> Result<String, Error> {
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(expires);
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = url.clone();
    let signed = instructions(&request, credentials, region, at, settings)?;
    let (_, mut parameters) = signed.into_parts();
    parameters.sort_by_key(|(name, _)| *name == "X-Amz-Signature");
    let mut separator = match url.query() {
        None => "?",
        Some("") => "",
        Some(_) => "&",
    };
    let mut url = url.to_string();
    for (name, value) in parameters {
        // Writing to a `String` cannot fail.
        let _ = write!(url, "{separator}{name}={}", percent_encode(&value));
        separator = "&";
    }
    Ok(url)
}

/// Returns what a signature adds to a request.
fn instructions(
    request: &Request<Bytes>,
    credentials: &Credentials,
    region: &Region,
    at: SystemTime,
    settings: SigningSettings,
) -> Result<SigningInstructions, Error> {
    let failed = |what: &str, cause: BoxError| Error::new(ErrorKind::Input, what).with_source(cause);
    let refused = |what: &str| Err(Error::new(ErrorKind::Input, what));
    credentials::check(credentials, at)?;
    let url = http_url(request.uri());
    if request.uri().authority().is_none() {
        return refused("a URL without a host cannot be signed");
    }
    // The signing library panics on a URL that `http` cannot hold, and signing may encode every byte of one by three.
    let parts = [Some(url.as_str()), Some(credentials.access_key_id()), credentials.session_token()];
    if 3 * parts.into_iter().flatten().map(str::len).sum::<usize>() > MAX_SIGNED_BYTES {
        return refused("the URL is too long to be signed");
    }
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
    let body = SignableBody::Bytes(request.body());
    let signable = SignableRequest::new(request.method().as_str(), url, headers.into_iter(), body)
        .map_err(|error| failed("the request cannot be signed", error.into()))?;
    let params = params.into();
    let sign = || http_request::sign(signable, &params);
    // At `TRACE` the signing library prints all that it signs: the callers' own headers and parameters, and the session token.
    let signed = match LevelFilter::current() == LevelFilter::TRACE {
        true => with_default(NoSubscriber::default(), sign),
        false => sign(),
    };
    let (instructions, _signature) =
        signed.map_err(|error| failed("the request cannot be signed", error.into()))?.into_parts();
    Ok(instructions)
}

/// Returns the URL with the scheme of the request that opens a socket: of `http` and `https` alone the signing library knows the
/// default ports, which do not stand in `Host` (RFC 9110 section 7.2).
fn http_url(url: &Uri) -> String {
    let text = url.to_string();
    match (url.scheme_str(), text.split_once(':')) {
        (Some("ws"), Some((_, rest))) => format!("http:{rest}"),
        (Some("wss"), Some((_, rest))) => format!("https:{rest}"),
        _ => text,
    }
}

/// A little less than [`Uri`] can hold, for what a signature adds in any case.
const MAX_SIGNED_BYTES: usize = 64_000;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::testing::{CapturedLog, at, secs};

    /// `2025-08-15T12:34:56Z`
    fn signed_at() -> SystemTime {
        at(1_755_261_296)
    }

    fn region() -> Region {
        "us-east-1".parse().unwrap()
    }

    fn keys(session_token: Option<&str>) -> Credentials {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        Credentials::new("AKIDEXAMPLE", secret, session_token.map(str::to_owned), None, "test")
    }

    /// Signs a `GET` in its headers.
    fn signed(url: &str, session_token: Option<&str>) -> Result<Request<Bytes>, Error> {
        let mut request = Request::get(url).body(Bytes::new()).unwrap();
        sign(&mut request, &keys(session_token), &region(), signed_at()).map(|()| request)
    }

    fn presigned(url: &str, session_token: Option<&str>, expires: u64) -> Result<String, Error> {
        presign(&url.parse().unwrap(), &keys(session_token), &region(), signed_at(), secs(expires))
    }

    #[test]
    fn a_second_signature_replaces_the_first() {
        let first = Credentials::new("FIRST", "s", Some("token".into()), None, "test");
        let second = Credentials::new("SECOND", "s", None, None, "test");
        let mut request = Request::post("https://example.com/a%20b?x=%2F").body(Bytes::from_static(b"{}")).unwrap();
        sign(&mut request, &first, &region(), signed_at()).unwrap();
        assert!(request.headers().contains_key("x-amz-security-token"));
        sign(&mut request, &second, &region(), signed_at() + secs(1)).unwrap();
        assert_eq!(request.headers()["x-amz-date"], "20250815T123457Z");
        assert!(!request.headers().contains_key("x-amz-security-token"));
        let authorization = request.headers()["authorization"].to_str().unwrap();
        assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=SECOND/20250815/us-east-1/bedrock-agentcore/"));
        assert_eq!(request.headers().get_all("authorization").iter().count(), 1);
        assert!(request.headers()["authorization"].is_sensitive());
    }

    /// The signature is botocore's, for the bodiless `GET` to the host without its port.
    #[test]
    fn a_socket_is_signed_as_the_request_that_opens_it() {
        const PATH: &str =
            "/runtimes/arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Fmy_agent-AbC1234567/ws";
        for (base, same) in [
            ("https://bedrock-agentcore.us-east-1.amazonaws.com", true),
            ("https://bedrock-agentcore.us-east-1.amazonaws.com:443", true),
            ("wss://bedrock-agentcore.us-east-1.amazonaws.com", true),
            ("wss://bedrock-agentcore.us-east-1.amazonaws.com:443", true),
            ("ws://bedrock-agentcore.us-east-1.amazonaws.com:80", true),
            ("wss://bedrock-agentcore.us-east-1.amazonaws.com:80", false),
        ] {
            let request = signed(&format!("{base}{PATH}"), None).unwrap();
            let authorization = request.headers()["authorization"].to_str().unwrap();
            let golden = "43714d499818e79533ff5a2790a4dbbbc19011cd565d49043b88df35780ccebd";
            assert_eq!(authorization.ends_with(golden), same, "{base}");
        }
    }

    /// The URL is botocore's.
    #[test]
    fn a_presigned_url_ends_in_its_signature() {
        let url = "wss://bedrock-agentcore.us-east-1.amazonaws.com/runtimes/\
            arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Fmy_agent-AbC1234567/ws\
            ?X-Amzn-Bedrock-AgentCore-Runtime-Session-Id=session-0123456789-0123456789-0123456789";
        let token = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMSJHMEUCIQD+abc/def==+Zz9";
        let signed = presign(&url.parse().unwrap(), &keys(Some(token)), &region(), signed_at(), secs(300)).unwrap();
        assert_eq!(
            signed,
            format!(
                "{url}&X-Amz-Algorithm=AWS4-HMAC-SHA256\
                 &X-Amz-Credential=AKIDEXAMPLE%2F20250815%2Fus-east-1%2Fbedrock-agentcore%2Faws4_request\
                 &X-Amz-Date=20250815T123456Z&X-Amz-Expires=300&X-Amz-SignedHeaders=host\
                 &X-Amz-Security-Token=IQoJb3JpZ2luX2VjEXAMPLE%2F%2F%2F%2F%2F%2F%2F%2F%2F%2FwEaCXVzLWVhc3QtMSJHMEUCIQD\
                 %2Babc%2Fdef%3D%3D%2BZz9\
                 &X-Amz-Signature=0eb98419f546fecdf4aced4d63b968414cd711f616fd6f17e7e999a32ba70b12"
            )
        );
    }

    #[test]
    fn the_first_parameter_follows_a_question_mark() {
        for (url, start) in [
            ("wss://example.com/ws", "wss://example.com/ws?X-Amz-Algorithm="),
            ("wss://example.com/ws?", "wss://example.com/ws?X-Amz-Algorithm="),
            ("wss://example.com/ws?a=b", "wss://example.com/ws?a=b&X-Amz-Algorithm="),
        ] {
            let url = presigned(url, None, 1).unwrap();
            assert!(url.starts_with(start), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_signed_is_an_error() {
        let long = |bytes: usize| format!("wss://example.com/?{}", "'".repeat(bytes));
        for (url, message) in [
            ("/ws".to_owned(), Some("a URL without a host cannot be signed")),
            (long(21_000), None),
            (long(22_000), Some("the URL is too long to be signed")),
        ] {
            for error in [presigned(&url, None, 1).err(), signed(&url, None).err()] {
                assert_eq!(error.map(|error| error.to_string()).as_deref(), message);
            }
        }
        assert!(presigned("wss://example.com/ws", Some(&"t".repeat(22_000)), 1).is_err());
    }

    #[test]
    fn no_session_token_is_logged() {
        let (log, guard) = CapturedLog::begin();
        presigned("wss://example.com/ws", Some("hush-hush"), 1).unwrap();
        signed("wss://example.com/ws?private=hush", Some("hush-hush")).unwrap();
        tracing::trace!("listening");
        drop(guard);
        let log = log.text();
        assert!(log.contains("listening") && !log.contains("hush"), "{log}");
    }
}
