//! The OAuth 2.0 client credentials grant (RFC 6749 §4.4) for the pool's one client. Knows no users.

use std::time::SystemTime;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::StatusCode;
use serde_json::{Value, json};

use super::{issuer::CLIENT_ID, user_pool::UserPool};
use crate::{record::RecordedRequest, service_error::ServiceError};

/// Answers a request to the token endpoint. An error's name is its code (RFC 6749 §5.2).
pub(crate) fn grant(pool: &UserPool, request: &RecordedRequest, now: SystemTime) -> Result<Value, ServiceError> {
    if pool.takes_outage() {
        return Err(error(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"));
    }
    let form: Vec<(String, String)> = form_urlencoded::parse(&request.body).into_owned().collect();
    let field = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let credentials = match request.header("authorization") {
        Some(header) => basic(header),
        None => field("client_id").map(str::to_owned).zip(field("client_secret").map(str::to_owned)),
    };
    let expected = pool.client_secret().as_bytes();
    let is_client = credentials
        .is_some_and(|(id, secret)| id == CLIENT_ID && verify_slices_are_equal(secret.as_bytes(), expected).is_ok());
    if !is_client {
        return Err(error(StatusCode::UNAUTHORIZED, "invalid_client"));
    }
    match field("grant_type") {
        Some("client_credentials") => {}
        Some(_) => return Err(error(StatusCode::BAD_REQUEST, "unsupported_grant_type")),
        None => return Err(error(StatusCode::BAD_REQUEST, "invalid_request")),
    }
    let mut claims = pool.issuer.claims(now, pool.token_lifetime);
    // What Cognito writes into a machine's token: the client is its own subject, and there is no user.
    claims.remove("username");
    claims.insert("sub".into(), CLIENT_ID.into());
    claims.insert("scope".into(), field("scope").unwrap_or_default().into());
    let token = pool.issuer.sign(&claims).map_err(|_| error(StatusCode::INTERNAL_SERVER_ERROR, "server_error"))?;
    Ok(json!({ "access_token": token, "token_type": "Bearer", "expires_in": pool.token_lifetime.as_secs() }))
}

/// Parses HTTP Basic credentials whose id and secret are form-encoded (RFC 6749 §2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    let pair = STANDARD.decode(encoded).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let pair = String::from_utf8(pair).ok()?;
    let (id, secret) = pair.split_once(':')?;
    // A text without `&` and `=` decodes to one pair with an empty value.
    let decoded = |text: &str| form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned());
    Some((decoded(id)?, decoded(secret)?))
}

fn error(status: StatusCode, code: &'static str) -> ServiceError {
    ServiceError::new(status, code, "")
}
