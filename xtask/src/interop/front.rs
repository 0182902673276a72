//! `acore` with a bearer token against the service's paths, the token verified by joserfc with the mock's public keys.

use serde_json::json;

use super::Bench;
use super::case::{Case, Tally};
use super::credentials::Credentials;
use super::local::{SESSION, mode};
use crate::Outcome;

/// Starts the mock (the issuer) and the proxy (the verifier), and runs every case through it.
pub(super) fn run(bench: &Bench, tally: &mut Tally) -> Outcome {
    let mock = bench.serve("acore-mock", &bench.acore(&["mock".to_owned()]))?;
    let Credentials { token, .. } = Credentials::read(&mock)?;
    let mut command = bench.script("front.py");
    command.args(["--jwks", &format!("{}/.well-known/jwks.json", mock.url), "--iss", &mock.url]);
    let front = bench.serve("front", &command)?;
    let through = |case: Case, url: &str, token: &str| {
        case.args(&["--endpoint-url", url, "--arn", ARN, "--session-id", SESSION, "--bearer-token", token])
    };
    let streams = mode("a verified token streams", "stream_str").text("Hello world!");
    let session = mode("the session id comes and goes", "headers")
        .json(&[("/json/session_id", json!(SESSION)), ("/session_id", json!(SESSION))]);
    let breaks = mode("an error after some text", "stream_raise_text")
        .text("Hello world")
        .fails(6, &["error:", "boom after text"]);
    let refused = mode("a tampered token is refused", "echo").fails(3, &["error:", "BadSignatureError"]);
    let unsent = mode("an expired token is not even sent", "echo").fails(3, &["error:", "expired"]);
    let cases = vec![
        through(streams, &front.url, &token),
        through(session, &front.url, &token),
        through(breaks, &front.url, &token),
        through(refused, &front.url, &tampered(&token)?),
        // Nobody listens there: had the token been sent, the exit code would be 4.
        through(unsent, NOBODY, EXPIRED),
    ];
    tally.run("the service's paths, tokens verified by joserfc", bench, cases)
}

/// The token with another signature.
pub(super) fn tampered(token: &str) -> Outcome<String> {
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        return Err("acore mock printed a token that is no JWT".into());
    };
    let (first, rest) = signature.split_at(1);
    let other = if first == "A" { "B" } else { "A" };
    Ok(format!("{header}.{payload}.{other}{rest}"))
}

pub(super) const ARN: &str = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my_agent-AbC1234567";

/// Port 9 (discard) of this machine: reserved, and open nowhere by default.
pub(super) const NOBODY: &str = "http://127.0.0.1:9";

/// `{"alg":"RS256"}.{"exp":1700000000}.` and a signature of zeros: expired on 14 November 2023.
pub(super) const EXPIRED: &str = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjE3MDAwMDAwMDB9.AAAA";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn tampering_changes_the_signature_alone() {
        assert_eq!(tampered("h.p.Aaa").unwrap(), "h.p.Baa");
        assert_eq!(tampered("h.p.xaa").unwrap(), "h.p.Aaa");
        assert!(tampered("opaque").is_err());
    }
}
