//! Presigned URLs of the official SDK for Python, and what is refused of them when they are changed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::UNIX_EPOCH;

use http::{HeaderName, HeaderValue, Method, Uri, Version, header};
use serde_json::Value;

use super::*;
use crate::{
    identity::Issuer,
    record::CredentialForm,
    verify::{Authenticator, Credentials, InboundAuth},
};

struct Golden {
    name: String,
    request: RecordedRequest,
    credentials: Credentials,
    region: &'static str,
}

impl Golden {
    fn verify_at(
        &self,
        request: &RecordedRequest,
        now: u64,
    ) -> Result<(Caller, CredentialForm), (&'static str, String)> {
        let issuer = Issuer::new("http://127.0.0.1:1".into()).unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(now);
        let sigv4 =
            SigV4Verifier { credentials: &self.credentials, region: self.region, service: "bedrock-agentcore", now };
        let authenticator = Authenticator { inbound_auth: InboundAuth::SigV4, jwt: issuer.authorizer(now), sigv4 };
        authenticator.authenticate_handshake(request).map_err(|error| {
            assert_eq!(error.status.as_u16(), 403, "{}", error.message);
            (error.name, error.message)
        })
    }

    fn verify(&self) -> Result<(Caller, CredentialForm), (&'static str, String)> {
        self.verify_at(&self.request, SIGNED)
    }

    /// Changes the query in one place, which must be there.
    fn with(&self, from: &str, to: &str) -> RecordedRequest {
        let query = self.request.query.as_deref().unwrap();
        assert!(query.contains(from), "{}: {from}", self.name);
        RecordedRequest { query: Some(query.replacen(from, to, 1)), ..self.request.clone() }
    }
}

fn golden() -> Vec<Golden> {
    let file: Value = serde_json::from_str(include_str!("../../../../../../tests/vectors/ws_vectors.json")).unwrap();
    let text = |vector: &Value, name: &str| vector[name].as_str().unwrap().to_owned();
    let presigned = file["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|vector| vector["method"] == "generate_presigned_url" && vector["url"].is_string());
    let golden = presigned.map(|vector| {
        assert_eq!(vector["time"], "2025-08-15T12:34:56Z");
        let uri: Uri = text(vector, "url").parse().unwrap();
        let mut request = RecordedRequest::new(Method::GET, Version::HTTP_11, uri.path(), uri.query());
        let host = HeaderValue::from_str(uri.authority().unwrap().as_str()).unwrap();
        request.headers.insert(header::HOST, host);
        let token = vector["session_token"].as_str();
        let region = ["us-east-1", "us-gov-west-1", "cn-northwest-1"]
            .into_iter()
            .find(|region| vector["client_region"] == *region)
            .unwrap();
        Golden {
            name: text(vector, "name"),
            request,
            credentials: Credentials::new(&text(vector, "access_key"), &text(vector, "secret_key"), token),
            region,
        }
    });
    golden.collect()
}

fn named(name: &str) -> Golden {
    golden().into_iter().find(|golden| golden.name == name).unwrap()
}

fn refused(name: &'static str, message: &str) -> Result<(Caller, CredentialForm), (&'static str, String)> {
    Err((name, message.to_owned()))
}

#[test]
fn golden_urls() {
    let golden = golden();
    assert_eq!(golden.len(), 12);
    let caller = Caller::SigV4 { access_key_id: "AKIDEXAMPLE".to_owned() };
    for golden in golden {
        let expected = match golden.name.as_str() {
            // The SDK signs it, but it would never be good.
            "presign_expires_0" => refused(INVALID, "'X-Amz-Expires' must be a number of seconds from 1 to 300."),
            _ => Ok((caller.clone(), CredentialForm::PresignedUrl)),
        };
        assert_eq!(golden.verify(), expected, "{}", golden.name);
    }
}

#[test]
fn every_character_counts() {
    for golden in golden().into_iter().filter(|golden| golden.name != "presign_expires_0") {
        for part in ["path", "query"] {
            let text = match part {
                "path" => golden.request.path.clone(),
                _ => golden.request.query.clone().unwrap(),
            };
            for index in 0..text.len() {
                let mut bytes = text.clone().into_bytes();
                bytes[index] ^= 1;
                let changed = String::from_utf8(bytes).unwrap();
                let request = match part {
                    "path" => RecordedRequest { path: changed, ..golden.request.clone() },
                    _ => RecordedRequest { query: Some(changed), ..golden.request.clone() },
                };
                assert!(golden.verify_at(&request, SIGNED).is_err(), "{}: {part} {index}", golden.name);
            }
        }
    }
}

#[test]
fn changes() {
    let basic = named("presign_basic");
    let expires = "'X-Amz-Expires' must be a number of seconds from 1 to 300.";
    for (from, to, name, message) in [
        ("Signature=1", "Signature=2", INVALID, MISMATCH),
        ("Signature=1dfc28a4", "Signature=1DFC28A4", INVALID, MISMATCH),
        ("Session-Id=session-0", "Session-Id=session-1", INVALID, MISMATCH),
        ("X-Amz-Algorithm", "qualifier=x&X-Amz-Algorithm", INVALID, MISMATCH),
        ("Expires=300", "Expires=299", INVALID, MISMATCH),
        ("Expires=300", "Expires=0300", INVALID, MISMATCH),
        ("Expires=300", "Expires=0", INVALID, expires),
        ("Expires=300", "Expires=301", INVALID, expires),
        ("Expires=300", "Expires=-1", INVALID, expires),
        ("Expires=300", "Expires=%2B300", INVALID, expires),
        ("Expires=300", "Expires=abc", INVALID, expires),
        ("Expires=300", "Expires=", INVALID, expires),
        ("Expires=300", "Expires=4294967297", INVALID, expires),
        ("Date=20250815T123456Z", "Date=20250815", INCOMPLETE, DATE_FORM),
        ("Date=20250815T123456Z", "Date=20250815T123457Z", INVALID, MISMATCH),
        (
            "Date=20250815T123456Z",
            "Date=20250816T123456Z",
            INVALID,
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
             '20250815' != '20250816', from '20250816T123456Z'.",
        ),
        ("us-east-1", "us-west-2", INVALID, "Credential should be scoped to a valid region, not 'us-west-2'."),
        (
            "%2Fbedrock-agentcore%2F",
            "%2Fbedrock%2F",
            INVALID,
            "Credential should be scoped to correct service: 'bedrock-agentcore'.",
        ),
        ("aws4_request", "aws4", INVALID, "Credential should be scoped with a valid terminator: 'aws4_request'."),
        (
            "AKIDEXAMPLE",
            "AKIDEXAMPLF",
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        (
            "&X-Amz-Signature",
            "&X-Amz-Security-Token=x&X-Amz-Signature",
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        (
            "AKIDEXAMPLE%2F",
            "",
            INCOMPLETE,
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
        ),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", INCOMPLETE, ALGORITHM_FORM),
        ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", INCOMPLETE, ALGORITHM_FORM),
        ("X-Amz-Algorithm=", "X=", INCOMPLETE, "AWS query-string parameters must include 'X-Amz-Algorithm'."),
        ("X-Amz-Credential=", "X=", INCOMPLETE, "AWS query-string parameters must include 'X-Amz-Credential'."),
        ("X-Amz-Date=", "X=", INCOMPLETE, "AWS query-string parameters must include 'X-Amz-Date'."),
        ("X-Amz-Expires=", "X=", INCOMPLETE, "AWS query-string parameters must include 'X-Amz-Expires'."),
        ("X-Amz-SignedHeaders=", "X=", INCOMPLETE, "AWS query-string parameters must include 'X-Amz-SignedHeaders'."),
        ("X-Amz-Signature=", "X=", INCOMPLETE, "AWS query-string parameters must include 'X-Amz-Signature'."),
        ("X-Amz-Expires=", "x-amz-expires=", INCOMPLETE, "AWS query-string parameters must include 'X-Amz-Expires'."),
        (
            "X-Amz-Date",
            "X-Amz-Expires=1&X-Amz-Date",
            INCOMPLETE,
            "AWS query-string parameter 'X-Amz-Expires' is repeated.",
        ),
        (
            "&X-Amz-S",
            "&X-Amz-Signature=1&X-Amz-S",
            INCOMPLETE,
            "AWS query-string parameter 'X-Amz-Signature' is repeated.",
        ),
        (
            "SignedHeaders=host",
            "SignedHeaders=",
            INVALID,
            "'' is a 'SignedHeader' in the AWS Authorization but is not sent.",
        ),
        (
            "SignedHeaders=host",
            "SignedHeaders=host%3Bx-a",
            INVALID,
            "'x-a' is a 'SignedHeader' in the AWS Authorization but is not sent.",
        ),
    ] {
        assert_eq!(basic.verify_at(&basic.with(from, to), SIGNED), refused(name, message), "{from} → {to}");
    }
}

#[test]
fn a_space_is_no_plus() {
    let golden = named("presign_custom_header_like");
    assert!(golden.verify().is_ok());
    assert_eq!(golden.verify_at(&golden.with("Bar%20Baz", "Bar+Baz"), SIGNED), refused(INVALID, MISMATCH));
    let golden = named("presign_custom_reserved");
    assert!(golden.verify_at(&golden.with("%2B", "+"), SIGNED).is_ok());
    assert_eq!(golden.verify_at(&golden.with("%2B", "%20"), SIGNED), refused(INVALID, MISMATCH));
}

#[test]
fn other_tokens_and_hosts() {
    let golden = named("presign_token");
    let unknown = refused("UnrecognizedClientException", "The security token included in the request is invalid.");
    assert_eq!(golden.verify_at(&golden.with("Token=I", "Token=J"), SIGNED), unknown);
    assert_eq!(golden.verify_at(&golden.with("X-Amz-Security-Token=", "X="), SIGNED), unknown);
    let twice = golden.with("&X-Amz-Signature", "&X-Amz-Security-Token=I&X-Amz-Signature");
    let message = "AWS query-string parameter 'X-Amz-Security-Token' is repeated.";
    assert_eq!(golden.verify_at(&twice, SIGNED), refused(INCOMPLETE, message));

    let with = |name: &'static str, value: &'static str| {
        let mut request = golden.request.clone();
        request.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        golden.verify_at(&request, SIGNED)
    };
    assert_eq!(with("host", "example.com"), refused(INVALID, MISMATCH));
    assert!(with("user-agent", "a browser").is_ok());
    for name in ["x-amz-meta", "x-amzn-bedrock-agentcore-runtime-session-id"] {
        let message = format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.");
        assert_eq!(with(name, "session-0123456789-0123456789-0123456789"), refused(INVALID, &message));
    }
    let mut with_body = golden.request.clone();
    with_body.body = "x".into();
    assert_eq!(golden.verify_at(&with_body, SIGNED), refused(INVALID, MISMATCH));
    let posted = RecordedRequest { method: Method::POST, ..golden.request.clone() };
    assert_eq!(golden.verify_at(&posted, SIGNED), refused(INVALID, MISMATCH));
}

#[test]
fn age() {
    for (name, now, expected) in [
        ("presign_basic", SIGNED + 300, None),
        (
            "presign_basic",
            SIGNED + 301,
            Some("Signature expired: 20250815T123956Z is now earlier than 20250815T123957Z (20250815T123456Z + 300 s)"),
        ),
        ("presign_expires_1", SIGNED + 1, None),
        (
            "presign_expires_1",
            SIGNED + 2,
            Some("Signature expired: 20250815T123457Z is now earlier than 20250815T123458Z (20250815T123456Z + 1 s)"),
        ),
        ("presign_expires_1", SIGNED - 300, None),
        (
            "presign_expires_1",
            SIGNED - 301,
            Some(
                "Signature not yet current: 20250815T123456Z is still later than 20250815T123455Z \
                 (20250815T122955Z + 5 min.)",
            ),
        ),
    ] {
        let golden = named(name);
        let outcome = golden.verify_at(&golden.request, now);
        match expected {
            None => assert!(outcome.is_ok(), "{name} at {now}: {outcome:?}"),
            Some(message) => assert_eq!(outcome, refused(INVALID, message), "{name} at {now}"),
        }
    }
}

/// 2025-08-15T12:34:56Z.
const SIGNED: u64 = 1_755_261_296;

const INCOMPLETE: &str = "IncompleteSignatureException";
const INVALID: &str = "InvalidSignatureException";
const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS \
                        Secret Access Key and signing method. Consult the service documentation for details.";
const DATE_FORM: &str = "Date must be in ISO-8601 'basic format', YYYYMMDD'T'HHMMSS'Z'.";
const ALGORITHM_FORM: &str = "AWS query-string parameter 'X-Amz-Algorithm' must be 'AWS4-HMAC-SHA256'.";
