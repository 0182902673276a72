//! Presigned URLs of the official SDK for Python, and what is refused of them when they are changed.

use http::Method;

use super::super::tests::*;
use crate::record::RecordedRequest;

#[test]
fn changes() {
    let expires = "'X-Amz-Expires' must be a number of seconds from 1 to 300.";
    let date = "Date must be in ISO-8601 'basic format', YYYYMMDD'T'HHMMSS'Z'.";
    let algorithm = "AWS query-string parameter 'X-Amz-Algorithm' must be 'AWS4-HMAC-SHA256'.";
    let changes = [
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
        ("Date=20250815T123456Z", "Date=20250815", INCOMPLETE, date),
        ("Date=20250815T123456Z", "Date=20250815T123457Z", INVALID, MISMATCH),
        (
            "Date=20250815T123456Z",
            "Date=20250816T123456Z",
            INVALID,
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
             '20250815' != '20250816', from '20250816T123456Z'.",
        ),
        ("AKIDEXAMPLE", "AKIDEXAMPLF", UNRECOGNIZED, UNKNOWN_TOKEN),
        ("&X-Amz-Signature", "&X-Amz-Security-Token=x&X-Amz-Signature", UNRECOGNIZED, UNKNOWN_TOKEN),
        ("AKIDEXAMPLE%2F", "", INCOMPLETE, CREDENTIAL_FORM),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", INCOMPLETE, algorithm),
        ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", INCOMPLETE, algorithm),
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
    ];
    check_refusals("presign_basic", &changes);
}

#[test]
fn a_space_is_no_plus() {
    check_refusals("presign_custom_header_like", &[("Bar%20Baz", "Bar+Baz", INVALID, MISMATCH)]);
    check_refusals("presign_custom_reserved", &[("%2B", "%20", INVALID, MISMATCH)]);
    let golden = named("presign_custom_reserved");
    assert!(golden.verify(&golden.with("%2B", "+")).is_ok());
}

#[test]
fn other_tokens_and_hosts() {
    let repeated = "AWS query-string parameter 'X-Amz-Security-Token' is repeated.";
    let changes = [
        ("Token=I", "Token=J", UNRECOGNIZED, UNKNOWN_TOKEN),
        ("X-Amz-Security-Token=", "X=", UNRECOGNIZED, UNKNOWN_TOKEN),
        ("&X-Amz-Signature", "&X-Amz-Security-Token=I&X-Amz-Signature", INCOMPLETE, repeated),
    ];
    check_refusals("presign_token", &changes);

    let golden = named("presign_token");
    for name in ["user-agent", "x-amzn-bedrock-agentcore-runtime-session-id"] {
        assert!(golden.verify(&golden.with_header(name, "unsigned")).is_ok(), "{name}");
    }
    let message = "'x-amz-meta' must be a 'SignedHeader' in the AWS Authorization.";
    assert_eq!(golden.verify(&golden.with_header("x-amz-meta", "x")), refused(INVALID, message));
    for request in [
        golden.with_header("host", "example.com"),
        RecordedRequest { body: "x".into(), ..golden.request.clone() },
        RecordedRequest { method: Method::POST, ..golden.request.clone() },
    ] {
        assert_eq!(golden.verify(&request), refused(INVALID, MISMATCH), "{request:?} {:?}", request.headers);
    }
}
