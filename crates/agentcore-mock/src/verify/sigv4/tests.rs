//! Requests signed by botocore and by the official SDK for Python under AWS's published example credentials: what is
//! admitted of them, and what is refused once they are changed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::UNIX_EPOCH;

use agentcore_core::header::SESSION_ID;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, Method, Uri, Version};
use serde_json::Value;

use super::*;
use crate::{
    identity::Issuer,
    record::CredentialForm,
    verify::{Authenticator, InboundAuth},
};

/// What was proved, or the name and the message of the 403.
pub(super) type Outcome = Result<(Caller, CredentialForm), (&'static str, String)>;

/// A signed request of the golden data, with its vector.
pub(super) struct Golden {
    pub(super) name: String,
    pub(super) request: RecordedRequest,
    credentials: Credentials,
    /// When it was signed, in seconds since 1970.
    signed: u64,
    vector: Value,
}

impl Golden {
    fn read(vector: &Value) -> Self {
        let (request, method) = match vector.get("request") {
            Some(request) => (request, text(request, "method")),
            None => (vector, "GET"),
        };
        let uri: Uri = text(request, "url").parse().unwrap();
        let body = match (request["body_b64"].as_str(), request["body_len"].as_u64()) {
            (Some(base64), _) => STANDARD.decode(base64).unwrap(),
            // The one payload too long to be written out.
            (None, length) => vec![b'x'; length.unwrap_or_default() as usize],
        };
        let method = method.parse().unwrap();
        let mut golden = Self {
            name: text(vector, "name").to_owned(),
            request: RecordedRequest {
                body: body.into(),
                ..RecordedRequest::new(method, Version::HTTP_11, uri.path(), uri.query())
            },
            credentials: Credentials::new(
                text(vector, "access_key"),
                text(vector, "secret_key"),
                vector["session_token"].as_str(),
            ),
            signed: match text(vector, "time") {
                "2025-08-15T12:34:56Z" => 1_755_261_296,
                "2025-12-31T23:59:59Z" => 1_767_225_599,
                other => panic!("{other}"),
            },
            vector: vector.clone(),
        };
        golden.request = golden.with_header("host", uri.authority().unwrap().as_str());
        for (name, value) in request["headers"].as_object().into_iter().flatten() {
            golden.request = golden.with_header(name, value.as_str().unwrap());
        }
        golden
    }

    pub(super) fn is_presigned(&self) -> bool {
        presign::is_presigned(&self.request)
    }

    pub(super) fn verify(&self, request: &RecordedRequest) -> Outcome {
        self.verify_at(request, 0)
    }

    /// Verifies a request so many seconds after this one was signed.
    fn verify_at(&self, request: &RecordedRequest, seconds: i64) -> Outcome {
        let issuer = Issuer::new("http://127.0.0.1:1".into()).unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(self.signed.checked_add_signed(seconds).unwrap());
        let region = self.vector["region"].as_str().unwrap_or_else(|| text(&self.vector, "client_region"));
        let sigv4 = SigV4Verifier { credentials: &self.credentials, region, service: "bedrock-agentcore", now };
        let authenticator = Authenticator { inbound_auth: InboundAuth::SigV4, jwt: issuer.authorizer(now), sigv4 };
        authenticator.authenticate_handshake(request).map_err(|error| {
            assert_eq!(error.status.as_u16(), 403, "{}", error.message);
            (error.name, error.message)
        })
    }

    /// Changes the presigned query, or else the `authorization` header, in one place, which must be there.
    pub(super) fn with(&self, from: &str, to: &str) -> RecordedRequest {
        let signed = if self.is_presigned() { self.request.query.as_deref().unwrap() } else { self.authorization() };
        assert!(signed.contains(from), "{}: {from}", self.name);
        let changed = signed.replacen(from, to, 1);
        if self.is_presigned() {
            RecordedRequest { query: Some(changed), ..self.request.clone() }
        } else {
            self.with_header("authorization", &changed)
        }
    }

    pub(super) fn with_header(&self, name: &str, value: &str) -> RecordedRequest {
        let mut request = self.request.clone();
        request.headers.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        request
    }

    fn with_second_header(&self, name: &'static str, value: &str) -> RecordedRequest {
        let mut request = self.request.clone();
        request.headers.append(name, HeaderValue::from_str(value).unwrap());
        request
    }

    fn without_header(&self, name: &str) -> RecordedRequest {
        let mut request = self.request.clone();
        request.headers.remove(name).unwrap();
        request
    }

    fn authorization(&self) -> &str {
        self.request.header("authorization").unwrap()
    }

    fn parsed_authorization(&self) -> Authorization<'_> {
        let parameters = self.authorization().strip_prefix("AWS4-HMAC-SHA256 ").unwrap();
        Authorization::parse(parameters).unwrap_or_else(|error| panic!("{}: {}", self.name, error.message))
    }
}

/// Reads what is signed, without the two whose canonical form no server agrees with: a literal `+` in the query, and a tab
/// folded into a space.
pub(super) fn all() -> Vec<Golden> {
    let files = [
        include_str!("../../../../../tests/vectors/invoke_vectors.json"),
        include_str!("../../../../../tests/vectors/ws_vectors.json"),
    ];
    let vectors = files.iter().flat_map(|file| {
        let mut file: Value = serde_json::from_str(file).unwrap();
        file["vectors"].as_array_mut().map(std::mem::take).unwrap()
    });
    let is_signed = |vector: &Value| {
        vector.get("request").is_some()
            || vector["headers"].get("X-Amz-Date").is_some()
            || vector["method"] == "generate_presigned_url" && vector["url"].is_string()
    };
    let is_faulty = |vector: &Value| ["ws_qualifier_space", "shell_session_spaces"].contains(&text(vector, "name"));
    vectors.filter(|vector| is_signed(vector) && !is_faulty(vector)).map(|vector| Golden::read(&vector)).collect()
}

pub(super) fn named(name: &str) -> Golden {
    all().into_iter().find(|golden| golden.name == name).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

pub(super) fn refused(name: &'static str, message: &str) -> Outcome {
    Err((name, message.to_owned()))
}

/// Checks how the named request is refused once it is changed in one place: from, to, and the error's name and message.
pub(super) fn check_refusals(name: &str, changes: &[(&str, &str, &'static str, &str)]) {
    let golden = named(name);
    for &(from, to, error, message) in changes {
        assert_eq!(golden.verify(&golden.with(from, to)), refused(error, message), "{name}: {from} → {to}");
    }
}

#[test]
fn golden_requests_stage_by_stage() {
    for golden in all().into_iter().filter(|golden| !golden.is_presigned()) {
        let authorization = golden.parsed_authorization();
        let hash = hex::encode(digest::digest(&digest::SHA256, &golden.request.body));
        let query = golden.request.query.as_deref().unwrap_or_default();
        let canonical = canonical::request(&golden.request, query, &authorization.signed_headers, &hash);
        let expected = text(&golden.vector, "canonical_request");
        assert_eq!(String::from_utf8(canonical.clone()).unwrap(), expected, "{}", golden.name);
        let stamp = golden.request.header("x-amz-date").unwrap();
        let expected = text(&golden.vector, "string_to_sign");
        assert_eq!(string_to_sign(stamp, &authorization.scope, &canonical), expected, "{}", golden.name);
        let signature = signature(golden.credentials.secret_access_key(), &authorization.scope, expected);
        assert_eq!(signature, authorization.signature, "{}", golden.name);
    }
}

#[test]
fn golden_requests_are_admitted() {
    let (presigned, signed): (Vec<_>, Vec<_>) = all().into_iter().partition(Golden::is_presigned);
    assert_eq!((signed.len(), presigned.len()), (14 + 12, 12));
    let admitted = |credential_form| Ok((Caller::SigV4 { access_key_id: "AKIDEXAMPLE".to_owned() }, credential_form));
    for golden in signed {
        assert_eq!(golden.verify(&golden.request), admitted(CredentialForm::Signature), "{}", golden.name);
        // The official SDK adds the session id after signing.
        if golden.name.starts_with("ws_") || golden.name == "arn_region_mismatch" {
            let signed = golden.parsed_authorization().signed_headers;
            assert!(golden.request.headers.contains_key(SESSION_ID) && !signed.contains(&SESSION_ID.as_str()));
        }
    }
    for golden in presigned {
        let expected = match golden.name.as_str() {
            // The SDK signs it, but it would never be good.
            "presign_expires_0" => refused(INVALID, "'X-Amz-Expires' must be a number of seconds from 1 to 300."),
            _ => admitted(CredentialForm::PresignedUrl),
        };
        assert_eq!(golden.verify(&golden.request), expected, "{}", golden.name);
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
    let is_small = |golden: &Golden| golden.vector.get("request").is_some() && golden.request.body.len() < 1000;
    let is_checked = |golden: &Golden| is_small(golden) || golden.is_presigned() && golden.name != "presign_expires_0";
    for golden in all().into_iter().filter(is_checked) {
        let request = &golden.request;
        let mut tampered = Vec::new();
        let strings = |text: &str| flips(text.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap()).collect();
        let paths: Vec<String> = strings(&request.path);
        let queries: Vec<String> = strings(request.query.as_deref().unwrap_or_default());
        tampered.extend(paths.into_iter().map(|path| RecordedRequest { path, ..request.clone() }));
        tampered.extend(queries.into_iter().map(|query| RecordedRequest { query: Some(query), ..request.clone() }));
        tampered.extend(flips(&request.body).map(|body| RecordedRequest { body: body.into(), ..request.clone() }));
        let signed = match golden.is_presigned() {
            true => vec!["host"],
            false => [&golden.parsed_authorization().signed_headers[..], &["authorization"]].concat(),
        };
        for name in signed {
            let flipped = flips(request.headers[name].as_bytes()).filter_map(|bytes| String::from_utf8(bytes).ok());
            let values: Vec<String> = flipped.filter(|value| HeaderValue::from_str(value).is_ok()).collect();
            assert!(values.len() + 2 > request.headers[name].len(), "{name} has hardly a byte that could not be sent");
            tampered.extend(values.iter().map(|value| golden.with_header(name, value)));
        }
        assert!(tampered.len() > 400, "{}", golden.name);
        for request in tampered {
            assert!(golden.verify(&request).is_err(), "{}: {request:?} {:?}", golden.name, request.headers);
        }
    }
}

#[test]
fn additions_and_omissions_count() {
    let golden = named("token");
    let request = || golden.request.clone();
    let query = Some("qualifier=DEFAULT&a=".to_owned());
    let undated = "Authorization header requires existence of one 'X-Amz-Date' header.";
    for (request, name, message) in [
        (golden.with_second_header("content-type", "text/plain"), INVALID, MISMATCH),
        (RecordedRequest { method: Method::PUT, ..request() }, INVALID, MISMATCH),
        (RecordedRequest { query: None, ..request() }, INVALID, MISMATCH),
        (RecordedRequest { query, ..request() }, INVALID, MISMATCH),
        (RecordedRequest { body: Default::default(), ..request() }, INVALID, MISMATCH),
        (
            golden.with_header("x-amz-meta", "x"),
            INVALID,
            "'x-amz-meta' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (golden.without_header("x-amz-date"), INCOMPLETE, undated),
        (golden.with_second_header("x-amz-date", "20250815T123456Z"), INCOMPLETE, undated),
    ] {
        assert_eq!(golden.verify(&request), refused(name, message), "{request:?} {:?}", request.headers);
    }
    for absent in ["content-type", "host", "x-amzn-bedrock-agentcore-runtime-session-id"] {
        let message = format!("'{absent}' is a 'SignedHeader' in the AWS Authorization but is not sent.");
        assert_eq!(golden.verify(&golden.without_header(absent)), refused(INVALID, &message));
    }
    // A header that is not signed and need not be.
    assert!(golden.verify(&golden.with_header("user-agent", "curl")).is_ok());
}

#[test]
fn keys_and_session_tokens() {
    let (plain, temporary) = (named("basic"), named("token"));
    let unknown = refused(UNRECOGNIZED, UNKNOWN_TOKEN);
    assert_eq!(plain.verify(&plain.with_header("x-amz-security-token", "something")), unknown);
    assert_eq!(temporary.verify(&temporary.with_header("x-amz-security-token", "something")), unknown);
    assert_eq!(temporary.verify(&temporary.without_header("x-amz-security-token")), unknown);
    for (id, secret, expected) in
        [("AKIDEXAMPLF", "x", unknown), ("AKIDEXAMPLE", "another secret", refused(INVALID, MISMATCH))]
    {
        let golden = Golden { credentials: Credentials::new(id, secret, None), ..named("basic") };
        assert_eq!(golden.verify(&golden.request), expected, "{id}");
    }
}

#[test]
fn age() {
    for (name, seconds, expected) in [
        ("basic", 300, ""),
        ("basic", -300, ""),
        (
            "basic",
            301,
            "Signature expired: 20250815T123456Z is now earlier than 20250815T123457Z (20250815T123957Z - 5 min.)",
        ),
        (
            "basic",
            -301,
            "Signature not yet current: 20250815T123456Z is still later than 20250815T123455Z \
             (20250815T122955Z + 5 min.)",
        ),
        ("presign_basic", 300, ""),
        (
            "presign_basic",
            301,
            "Signature expired: 20250815T123956Z is now earlier than 20250815T123957Z (20250815T123456Z + 300 s)",
        ),
        ("presign_expires_1", 1, ""),
        (
            "presign_expires_1",
            2,
            "Signature expired: 20250815T123457Z is now earlier than 20250815T123458Z (20250815T123456Z + 1 s)",
        ),
        ("presign_expires_1", -300, ""),
        (
            "presign_expires_1",
            -301,
            "Signature not yet current: 20250815T123456Z is still later than 20250815T123455Z \
             (20250815T122955Z + 5 min.)",
        ),
    ] {
        let golden = named(name);
        match (golden.verify_at(&golden.request, seconds), expected) {
            (outcome, "") => assert!(outcome.is_ok(), "{name} at {seconds}: {outcome:?}"),
            (outcome, message) => assert_eq!(outcome, refused(INVALID, message), "{name} at {seconds}"),
        }
    }
}

#[test]
fn misdirected() {
    for name in ["basic", "presign_basic"] {
        check_refusals(
            name,
            &[
                ("us-east-1", "us-west-2", INVALID, "Credential should be scoped to a valid region, not 'us-west-2'."),
                (
                    "bedrock-agentcore",
                    "bedrock",
                    INVALID,
                    "Credential should be scoped to correct service: 'bedrock-agentcore'.",
                ),
                (
                    "aws4_request",
                    "aws4",
                    INVALID,
                    "Credential should be scoped with a valid terminator: 'aws4_request'.",
                ),
            ],
        );
    }
}

#[test]
fn malformed() {
    let unsorted = "SignedHeaders must be sorted, in lower case and without repetition.";
    let unknown = "Authorization header holds a parameter that is unknown or repeated.";
    let neither = "The Authorization header is neither one bearer token nor one AWS4-HMAC-SHA256 signature.";
    let changes = [
        (
            "/20250815/",
            "/20250814/",
            INVALID,
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
             '20250814' != '20250815', from '20250815T123456Z'.",
        ),
        ("host;x-amz-date", "x-amz-date;host", INVALID, unsorted),
        ("host;x-amz-date", "host;host;x-amz-date", INVALID, unsorted),
        ("host;x-amz-date", "host", INVALID, "'x-amz-date' must be a 'SignedHeader' in the AWS Authorization."),
        ("host;x-amz-date;", "x-amz-date;", INVALID, "'host' must be a 'SignedHeader' in the AWS Authorization."),
        ("host;", "Host;", INVALID, "'Host' is a 'SignedHeader' in the AWS Authorization but is not sent."),
        ("AKIDEXAMPLE/", "AKIDEXAMPLE//", INCOMPLETE, CREDENTIAL_FORM),
        ("Credential=", "Credentials=", INCOMPLETE, unknown),
        ("Signature=", "Credential=", INCOMPLETE, unknown),
        (" Signature=", " ", INCOMPLETE, unknown),
        ("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA1 ", INCOMPLETE, neither),
        ("AWS4-HMAC-SHA256 ", "", INCOMPLETE, neither),
    ];
    check_refusals("basic", &changes);

    let golden = named("basic");
    let good = golden.authorization();
    let (rest, signature) = good.split_once(", Signature=").unwrap();
    let upper = format!("{rest}, Signature={}", signature.to_uppercase());
    for (request, name, message) in [
        (golden.with_header("authorization", rest), INCOMPLETE, "Authorization header requires 'Signature' parameter."),
        (golden.with_header("authorization", &upper), INVALID, MISMATCH),
        (golden.with_second_header("authorization", good), INCOMPLETE, neither),
    ] {
        assert_eq!(golden.verify(&request), refused(name, message), "{:?}", request.headers);
    }
    // The spaces after the commas are custom, not grammar.
    assert!(golden.verify(&golden.with_header("authorization", &good.replace(", ", ","))).is_ok());
}

#[test]
fn a_claimed_body_hash_must_be_the_bodys() {
    let golden = named("basic");
    let golden = Golden { request: golden.with_header("x-amz-content-sha256", "UNSIGNED-PAYLOAD"), ..golden };
    let message = "'x-amz-content-sha256' must be a 'SignedHeader' in the AWS Authorization.";
    assert_eq!(golden.verify(&golden.request), refused(INVALID, message));
    let signed = golden.with("host;x-amz-date", "host;x-amz-content-sha256;x-amz-date");
    assert_eq!(golden.verify(&signed), refused(INVALID, MISMATCH));
}

pub(super) const INCOMPLETE: &str = "IncompleteSignatureException";
pub(super) const INVALID: &str = "InvalidSignatureException";
pub(super) const UNRECOGNIZED: &str = "UnrecognizedClientException";
pub(super) const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and \
     signing method. Consult the service documentation for details.";
pub(super) const UNKNOWN_TOKEN: &str = "The security token included in the request is invalid.";
pub(super) const CREDENTIAL_FORM: &str =
    "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.";
