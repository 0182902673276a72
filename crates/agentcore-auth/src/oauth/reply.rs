//! The answer of a token endpoint (RFC 6749 §5): a token and its lifetime, or an error. Shows neither the token nor the body.

use bytes::Bytes;
use http::Response;
use serde_json::Value;

use crate::{Error, ErrorKind, Issued, Token, exchange::outage, token::lifetime_in_seconds};

/// Reads the answer of a token endpoint.
pub(super) fn read(answer: &Response<Bytes>) -> Result<Issued, Error> {
    let status = answer.status();
    let json: Option<Value> = serde_json::from_slice(answer.body()).ok();
    let says_error = json.as_ref().is_some_and(|json| !json["error"].is_null());
    // Some servers refuse with status 200.
    if !status.is_success() || says_error {
        return Err(refusal(status.as_u16(), json.as_ref()));
    }
    let odd = |why: &str| Error::new(ErrorKind::Service, format!("the token endpoint's answer is of no use: {why}"));
    let json = json.ok_or_else(|| odd("it is not JSON"))?;
    // RFC 6749 §7.1: a client must not use a token of a type it does not know.
    let kind = json["token_type"].as_str().unwrap_or("Bearer");
    if !kind.eq_ignore_ascii_case("bearer") {
        return Err(odd("its token is not a bearer token"));
    }
    let token = json["access_token"].as_str().ok_or_else(|| odd("it has no access token"))?;
    let token = Token::parse(token).map_err(|error| odd("its token is none").with_source(error))?;
    Ok(Issued { expires_in: lifetime_in_seconds(&json["expires_in"]), ..Issued::new(token) })
}

/// Reads an error (RFC 6749 §5.2): an outage of the server, or a refusal that lasts.
fn refusal(status: u16, json: Option<&Value>) -> Error {
    let error = json.map(|json| &json["error"]).unwrap_or_default();
    let code = error.as_str().or_else(|| ["code", "message"].iter().find_map(|key| error[*key].as_str()));
    let description = json.and_then(|json| json["error_description"].as_str());
    let reason = match (code.map(printable), description.map(printable)) {
        (Some(error), Some(description)) => format!("{error}: {description}"),
        (Some(error), None) => error,
        _ => format!("HTTP {status}"),
    };
    let passes = code.is_some_and(|code| OUTAGES.contains(&code));
    match outage(status).or(passes.then_some(ErrorKind::Unavailable)) {
        Some(kind) => Error::new(kind, format!("the token endpoint does not serve now: {reason}")),
        None => Error::new(ErrorKind::Authentication, format!("the token endpoint refused the client: {reason}")),
    }
}

/// Removes control characters: §5.2 allows printable ASCII only, and a terminal must not get anything else.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_REASON_CHARS).collect()
}

/// The errors that pass: RFC 6749 §4.1.2.1 and RFC 8628 §3.5.
const OUTAGES: [&str; 3] = ["server_error", "temporarily_unavailable", "slow_down"];

const MAX_REASON_CHARS: usize = 300;
