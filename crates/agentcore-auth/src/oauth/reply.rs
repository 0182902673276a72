//! The answer of a token endpoint (RFC 6749 §5): a token and its lifetime, or an error. Shows neither the token nor the body.

use bytes::Bytes;
use http::Response;
use serde_json::Value;

use crate::{Error, ErrorKind, Issued, Token, exchange::is_outage, token::lifetime_in_seconds};

/// Reads the answer of a token endpoint.
pub(super) fn read(answer: &Response<Bytes>) -> Result<Issued, Error> {
    let status = answer.status();
    let json: Option<Value> = serde_json::from_slice(answer.body()).ok();
    if !status.is_success() {
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
    Ok(Issued { expires_in: lifetime_in_seconds(&json["expires_in"]), ..Issued::new(Token::parse(token)?) })
}

/// Reads an error (RFC 6749 §5.2): an outage of the server, or a refusal that lasts.
fn refusal(status: u16, json: Option<&Value>) -> Error {
    let text = |key: &str| Some(printable(json?.get(key)?.as_str()?));
    let reason = match (text("error"), text("error_description")) {
        (Some(error), Some(description)) => format!("{error}: {description}"),
        (Some(error), None) => error,
        _ => format!("HTTP {status}"),
    };
    if is_outage(status) {
        Error::new(ErrorKind::Unavailable, format!("the token endpoint does not serve now: {reason}"))
    } else {
        Error::new(ErrorKind::Authentication, format!("the token endpoint refused the client: {reason}"))
    }
}

/// Removes control characters: §5.2 allows printable ASCII only, and a terminal must not get anything else.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_REASON_CHARS).collect()
}

const MAX_REASON_CHARS: usize = 300;
