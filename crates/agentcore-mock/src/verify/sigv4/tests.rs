//! The verifier against requests signed by botocore under AWS's published example credentials.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::UNIX_EPOCH;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version, header};
use serde_json::Value;

use super::*;
use crate::{
    identity::Issuer,
    verify::{Authenticator, InboundAuth},
};

/// A signed request of the golden data, and what its signer said.
struct Golden {
    name: String,
    request: RecordedRequest,
    credentials: Credentials,
    region: String,
    now: SystemTime,
    canonical_request: String,
    string_to_sign: String,
}

impl Golden {
    fn verify(&self) -> Result<Caller, ServiceError> {
        self.verify_at(self.now)
    }

    fn verify_at(&self, now: SystemTime) -> Result<Caller, ServiceError> {
        let issuer = Issuer::new("http://127.0.0.1:1".into())?;
        let sigv4 =
            SigV4Verifier { credentials: &self.credentials, region: &self.region, service: "bedrock-agentcore", now };
        let authenticator = Authenticator { inbound_auth: InboundAuth::Either, jwt: issuer.authorizer(now), sigv4 };
        authenticator.authenticate(&self.request).map(|(caller, _)| caller)
    }

    fn with_header(&self, name: &str, value: &str) -> Self {
        let mut request = self.request.clone();
        request.headers.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        self.with(request)
    }

    fn with(&self, request: RecordedRequest) -> Self {
        Self {
            request,
            name: self.name.clone(),
            credentials: self.credentials.clone(),
            region: self.region.clone(),
            canonical_request: String::new(),
            string_to_sign: String::new(),
            ..*self
        }
    }

    fn authorization(&self) -> &str {
        self.request.header("authorization").unwrap()
    }
}

/// So that `?` reports a key that could not be made.
impl From<crate::error::Error> for ServiceError {
    fn from(error: crate::error::Error) -> Self {
        Self::forbidden("", error.to_string())
    }
}

fn invoke_vectors() -> Vec<Golden> {
    let file: Value = serde_json::from_str(include_str!("../../../../../tests/vectors/invoke_vectors.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap().iter();
    vectors.filter(|vector| vector.get("request").is_some()).map(|vector| golden(vector, &vector["request"])).collect()
}

/// Those the official SDK signed in headers, without the two whose canonical form no server agrees with: a literal `+`
/// in the query, and a tab folded into a space.
fn ws_vectors() -> Vec<Golden> {
    let file: Value = serde_json::from_str(include_str!("../../../../../tests/vectors/ws_vectors.json")).unwrap();
    let faulty = ["ws_qualifier_space", "shell_session_spaces"];
    let vectors = file["vectors"].as_array().unwrap().iter();
    vectors
        .filter(|vector| !faulty.contains(&text(vector, "name")))
        .filter(|vector| vector["headers"].get("X-Amz-Date").is_some())
        .map(|vector| golden(vector, vector))
        .collect()
}

fn golden(vector: &Value, request: &Value) -> Golden {
    let uri: Uri = text(request, "url").parse().unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_str(uri.authority().unwrap().as_str()).unwrap());
    for (name, value) in request["headers"].as_object().unwrap() {
        let value = HeaderValue::from_str(value.as_str().unwrap()).unwrap();
        headers.insert(name.parse::<HeaderName>().unwrap(), value);
    }
    let scope = headers[header::AUTHORIZATION].to_str().unwrap().split('/').nth(2).unwrap().to_owned();
    let body = match (request["body_b64"].as_str(), request["body_len"].as_u64()) {
        (Some(base64), _) => STANDARD.decode(base64).unwrap(),
        // The one payload too long to be written out.
        (None, length) => vec![b'x'; length.unwrap_or_default() as usize],
    };
    let method = text_or(request, "method", "GET").parse::<Method>().unwrap_or(Method::GET);
    let request = RecordedRequest {
        headers,
        body: body.into(),
        ..RecordedRequest::new(method, Version::HTTP_11, uri.path(), uri.query())
    };
    let seconds = match text(vector, "time") {
        "2025-08-15T12:34:56Z" => 1_755_261_296,
        "2025-12-31T23:59:59Z" => 1_767_225_599,
        other => panic!("{other}"),
    };
    Golden {
        name: text(vector, "name").to_owned(),
        request,
        credentials: Credentials::new(
            text(vector, "access_key"),
            text(vector, "secret_key"),
            vector["session_token"].as_str(),
        ),
        region: scope,
        now: UNIX_EPOCH + Duration::from_secs(seconds),
        canonical_request: text(vector, "canonical_request").to_owned(),
        string_to_sign: text(vector, "string_to_sign").to_owned(),
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

fn text_or<'a>(value: &'a Value, name: &str, default: &'a str) -> &'a str {
    value[name].as_str().filter(|text| text.chars().all(char::is_uppercase)).unwrap_or(default)
}

fn refused(outcome: Result<Caller, ServiceError>) -> (u16, &'static str, String) {
    let error = outcome.unwrap_err();
    (error.status.as_u16(), error.name, error.message)
}

#[test]
fn golden_requests_stage_by_stage() {
    let vectors: Vec<Golden> = invoke_vectors().into_iter().chain(ws_vectors()).collect();
    assert_eq!(vectors.len(), 14 + 12);
    for golden in vectors {
        let authorization = Authorization::parse(golden.authorization().strip_prefix("AWS4-HMAC-SHA256 ").unwrap());
        let Ok(authorization) = authorization else { panic!("{}", golden.name) };
        let hash = hex(digest::digest(&digest::SHA256, &golden.request.body).as_ref());
        let query = golden.request.query.as_deref().unwrap_or_default();
        let canonical = canonical::request(&golden.request, query, &authorization.signed_headers, &hash);
        assert_eq!(String::from_utf8(canonical.clone()).unwrap(), golden.canonical_request, "{}", golden.name);
        let scope = [authorization.date, authorization.region, authorization.service, authorization.terminator];
        let stamp = golden.request.header("x-amz-date").unwrap();
        assert_eq!(string_to_sign(stamp, &scope, &canonical), golden.string_to_sign, "{}", golden.name);
        let signature = signature(golden.credentials.secret_access_key(), &scope, &golden.string_to_sign);
        assert_eq!(signature, authorization.signature, "{}", golden.name);
    }
}

#[test]
fn golden_requests_are_admitted() {
    for golden in invoke_vectors().into_iter().chain(ws_vectors()) {
        let admitted = match golden.name.as_str() {
            // The official SDK adds the session id after signing.
            name if name.starts_with("ws_") || name == "arn_region_mismatch" => {
                let message =
                    "'x-amzn-bedrock-agentcore-runtime-session-id' must be a 'SignedHeader' in the AWS Authorization.";
                assert_eq!(refused(golden.verify()), (403, "InvalidSignatureException", message.to_owned()), "{name}");
                let mut request = golden.request.clone();
                request.headers.remove(SESSION_ID);
                golden.with(request).verify()
            }
            _ => golden.verify(),
        };
        assert_eq!(admitted, Ok(Caller::SigV4 { access_key_id: "AKIDEXAMPLE".to_owned() }), "{}", golden.name);
    }
}

/// Flips a bit of every byte, one at a time.
fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len()).map(|index| {
        let mut flipped = bytes.to_vec();
        flipped[index] ^= 1;
        flipped
    })
}

#[test]
fn every_byte_counts() {
    let small = |golden: &Golden| golden.request.body.len() < 1000 && golden.name != "arn_region_mismatch";
    for golden in invoke_vectors().into_iter().filter(small) {
        let request = &golden.request;
        let mut tampered = Vec::new();
        let strings =
            |text: &str| flips(text.as_bytes()).filter_map(|bytes| String::from_utf8(bytes).ok()).collect::<Vec<_>>();
        for path in strings(&request.path) {
            tampered.push(RecordedRequest { path, ..request.clone() });
        }
        for query in strings(request.query.as_deref().unwrap_or_default()) {
            tampered.push(RecordedRequest { query: Some(query), ..request.clone() });
        }
        for body in flips(&request.body) {
            tampered.push(RecordedRequest { body: body.into(), ..request.clone() });
        }
        let signed =
            Authorization::parse(golden.authorization().split_once(' ').unwrap().1).ok().unwrap().signed_headers;
        for name in signed.into_iter().chain(["authorization"]) {
            let values: Vec<HeaderValue> = flips(request.headers[name].as_bytes())
                .filter_map(|value| HeaderValue::from_bytes(&value).ok())
                .collect();
            assert!(values.len() + 2 > request.headers[name].len(), "{name} has hardly a byte that could not be sent");
            for value in values {
                let mut changed = request.clone();
                changed.headers.insert(name.parse::<HeaderName>().unwrap(), value);
                tampered.push(changed);
            }
        }
        assert!(tampered.len() > 400, "{}", golden.name);
        for request in tampered {
            let tampered = golden.with(request);
            assert!(
                tampered.verify().is_err(),
                "{}: {:?} {:?}",
                golden.name,
                tampered.request,
                tampered.request.headers
            );
        }
    }
}

#[test]
fn additions_and_omissions_count() {
    let golden = &invoke_vectors()[2];
    assert_eq!(golden.name, "token");
    let refused = |request: RecordedRequest| {
        let (status, name, message) = refused(golden.with(request).verify());
        assert_eq!(status, 403);
        (name, message)
    };
    let request = || golden.request.clone();
    let mismatch = ("InvalidSignatureException", mismatch().message);

    let mut appended = request();
    appended.headers.append("content-type", HeaderValue::from_static("text/plain"));
    assert_eq!(refused(appended), mismatch);
    assert_eq!(refused(RecordedRequest { method: Method::PUT, ..request() }), mismatch);
    assert_eq!(refused(RecordedRequest { query: None, ..request() }), mismatch);
    let query = Some("qualifier=DEFAULT&a=".to_owned());
    assert_eq!(refused(RecordedRequest { query, ..request() }), mismatch);
    assert_eq!(refused(RecordedRequest { body: Default::default(), ..request() }), mismatch);

    let unsigned = refused(golden.with_header("x-amz-meta", "x").request);
    assert_eq!(unsigned.1, "'x-amz-meta' must be a 'SignedHeader' in the AWS Authorization.");
    for absent in ["content-type", "host", "x-amzn-bedrock-agentcore-runtime-session-id"] {
        let mut request = request();
        request.headers.remove(absent);
        assert_eq!(
            refused(request).1,
            format!("'{absent}' is a 'SignedHeader' in the AWS Authorization but is not sent.")
        );
    }
    let mut undated = request();
    undated.headers.remove("x-amz-date");
    assert_eq!(refused(undated).0, "IncompleteSignatureException");
    let mut twice = request();
    twice.headers.append("x-amz-date", HeaderValue::from_static("20250815T123456Z"));
    assert_eq!(refused(twice).0, "IncompleteSignatureException");

    // A header that is not signed and need not be.
    assert!(golden.with_header("user-agent", "curl").verify().is_ok());
}

#[test]
fn keys_and_session_tokens() {
    let vectors = invoke_vectors();
    let (plain, temporary) = (&vectors[0], &vectors[2]);
    let unknown =
        (403, "UnrecognizedClientException", "The security token included in the request is invalid.".to_owned());
    for golden in [
        plain.with_header("x-amz-security-token", "something"),
        temporary.with_header("x-amz-security-token", "something"),
        Golden { credentials: Credentials::new("AKIDEXAMPLF", "x", None), ..plain.with(plain.request.clone()) },
    ] {
        assert_eq!(refused(golden.verify()), unknown);
    }
    let mut without = temporary.with(temporary.request.clone());
    without.request.headers.remove("x-amz-security-token");
    assert_eq!(refused(without.verify()), unknown);
    let other = Credentials::new("AKIDEXAMPLE", "another secret", None);
    let other = Golden { credentials: other, ..plain.with(plain.request.clone()) };
    assert_eq!(refused(other.verify()).2, mismatch().message);
}

#[test]
fn age() {
    let golden = &invoke_vectors()[0];
    let at = |seconds: i64| {
        let offset = Duration::from_secs(seconds.unsigned_abs());
        golden.verify_at(if seconds < 0 { golden.now - offset } else { golden.now + offset })
    };
    assert!(at(300).is_ok());
    assert!(at(-300).is_ok());
    assert_eq!(
        refused(at(301)),
        (
            403,
            "InvalidSignatureException",
            "Signature expired: 20250815T123456Z is now earlier than 20250815T123457Z (20250815T123957Z - 5 min.)"
                .to_owned()
        )
    );
    assert_eq!(
        refused(at(-301)),
        (
            403,
            "InvalidSignatureException",
            "Signature not yet current: 20250815T123456Z is still later than 20250815T123455Z \
             (20250815T122955Z + 5 min.)"
                .to_owned()
        )
    );
}

#[test]
fn malformed_and_misdirected() {
    let golden = &invoke_vectors()[0];
    let good = golden.authorization();
    for (from, to, name, message) in [
        (
            "aws4_request",
            "aws4",
            "InvalidSignatureException",
            "Credential should be scoped with a valid terminator: 'aws4_request'.",
        ),
        (
            "/bedrock-agentcore/",
            "/bedrock/",
            "InvalidSignatureException",
            "Credential should be scoped to correct service: 'bedrock-agentcore'.",
        ),
        (
            "/us-east-1/",
            "/us-west-2/",
            "InvalidSignatureException",
            "Credential should be scoped to a valid region, not 'us-west-2'.",
        ),
        (
            "/20250815/",
            "/20250814/",
            "InvalidSignatureException",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
             '20250814' != '20250815', from '20250815T123456Z'.",
        ),
        (
            "host;x-amz-date",
            "x-amz-date;host",
            "InvalidSignatureException",
            "SignedHeaders must be sorted, in lower case and without repetition.",
        ),
        (
            "host;x-amz-date",
            "host;host;x-amz-date",
            "InvalidSignatureException",
            "SignedHeaders must be sorted, in lower case and without repetition.",
        ),
        (
            "host;x-amz-date",
            "host",
            "InvalidSignatureException",
            "'x-amz-date' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            "host;x-amz-date;",
            "x-amz-date;",
            "InvalidSignatureException",
            "'host' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            "host;",
            "Host;",
            "InvalidSignatureException",
            "'Host' is a 'SignedHeader' in the AWS Authorization but is not sent.",
        ),
        (
            "AKIDEXAMPLE/",
            "AKIDEXAMPLE//",
            "IncompleteSignatureException",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
        ),
        (
            "Credential=",
            "Credentials=",
            "IncompleteSignatureException",
            "Authorization header holds a parameter that is unknown or repeated.",
        ),
        (
            "Signature=",
            "Credential=",
            "IncompleteSignatureException",
            "Authorization header holds a parameter that is unknown or repeated.",
        ),
        (
            " Signature=",
            " ",
            "IncompleteSignatureException",
            "Authorization header holds a parameter that is unknown or repeated.",
        ),
        (
            "AWS4-HMAC-SHA256 ",
            "AWS4-HMAC-SHA1 ",
            "IncompleteSignatureException",
            "The Authorization header is neither one bearer token nor one AWS4-HMAC-SHA256 signature.",
        ),
        (
            "AWS4-HMAC-SHA256 ",
            "",
            "IncompleteSignatureException",
            "The Authorization header is neither one bearer token nor one AWS4-HMAC-SHA256 signature.",
        ),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        let (status, found, words) = refused(golden.with_header("authorization", &bad).verify());
        assert_eq!((status, found, words.as_str()), (403, name, message), "{bad}");
    }
    let cut = good.split_once(", Signature=").unwrap().0;
    let (_, _, words) = refused(golden.with_header("authorization", cut).verify());
    assert_eq!(words, "Authorization header requires 'Signature' parameter.");
    let upper = good.rsplit_once('=').map(|(rest, signature)| format!("{rest}={}", signature.to_uppercase())).unwrap();
    assert_eq!(refused(golden.with_header("authorization", &upper).verify()).2, mismatch().message);

    let mut twice = golden.request.clone();
    twice.headers.append("authorization", twice.headers["authorization"].clone());
    assert_eq!(refused(golden.with(twice).verify()).1, "IncompleteSignatureException");

    // The spaces after the commas are custom, not grammar.
    assert!(golden.with_header("authorization", &good.replace(", ", ",")).verify().is_ok());
}

#[test]
fn a_claimed_body_hash_must_be_the_bodys() {
    let golden = &invoke_vectors()[0];
    let claimed = golden.with_header("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    assert!(refused(claimed.verify()).2.starts_with("'x-amz-content-sha256' must be a 'SignedHeader'"));
    let good = golden.authorization().replace("host;x-amz-date", "host;x-amz-content-sha256;x-amz-date");
    assert_eq!(refused(claimed.with_header("authorization", &good).verify()).2, mismatch().message);
}
