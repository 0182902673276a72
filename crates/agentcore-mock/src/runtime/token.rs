//! The token endpoint: OAuth 2.0 client credentials (RFC 6749 §4.4) for the mock's one client. Knows no users.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::{body::Body, extract::State};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;

use super::{Exchange, Runtime};
use crate::{AgentAnswer, RecordedRequest, identity::CLIENT_ID};

/// How the token endpoint behaves.
pub(crate) struct TokenEndpoint {
    pub(crate) client_secret: String,
    /// How long its tokens are good for.
    pub(crate) life: Duration,
    /// How many requests it still answers with 503.
    pub(crate) outages: AtomicU32,
}

pub(super) async fn token(State(runtime): State<Arc<Runtime>>, exchange: Exchange) -> Response<Body> {
    let outages = &runtime.token_endpoint.outages;
    let down = outages.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
    let answered = if down { Err(UNAVAILABLE) } else { grant(&runtime, &exchange.request) };
    let refusal = answered.as_ref().err().map(|(_, error)| *error);
    runtime.log.push(RecordedRequest { refusal, ..exchange.request });
    let answer = match answered {
        Ok(token) => AgentAnswer::json(token),
        Err((status, error)) => {
            let answer = AgentAnswer::json(json!({ "error": error })).with_status(status);
            // RFC 6749 §5.2: whoever tried the header is told the scheme.
            match status {
                StatusCode::UNAUTHORIZED => {
                    answer.with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"mock\""))
                }
                _ => answer,
            }
        }
    };
    let answer = answer.with_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    exchange.connection.send(answer, |response| response)
}

type Refused = (StatusCode, &'static str);

fn grant(runtime: &Runtime, request: &RecordedRequest) -> Result<serde_json::Value, Refused> {
    let form: Vec<(String, String)> = form_urlencoded::parse(&request.body).into_owned().collect();
    let field = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let (id, secret) = match request.header("authorization") {
        Some(header) => basic(header).ok_or(INVALID_CLIENT)?,
        None => {
            let given = field("client_id").zip(field("client_secret")).ok_or(INVALID_CLIENT)?;
            (given.0.to_owned(), given.1.to_owned())
        }
    };
    let expected = runtime.token_endpoint.client_secret.as_bytes();
    if id != CLIENT_ID || verify_slices_are_equal(secret.as_bytes(), expected).is_err() {
        return Err(INVALID_CLIENT);
    }
    match field("grant_type") {
        Some("client_credentials") => {}
        Some(_) => return Err((StatusCode::BAD_REQUEST, "unsupported_grant_type")),
        None => return Err((StatusCode::BAD_REQUEST, "invalid_request")),
    }
    let life = runtime.token_endpoint.life.as_secs();
    let mut claims = runtime.issuer.claims((runtime.clock)());
    // What Cognito writes into a machine's token: the client is its own subject, and there is no user.
    claims.remove("username");
    claims.insert("sub".into(), CLIENT_ID.into());
    claims.insert("scope".into(), field("scope").unwrap_or_default().into());
    let issued = claims["iat"].as_u64().unwrap_or_default();
    claims.insert("exp".into(), (issued + life).into());
    let token = runtime.issuer.sign(&claims).map_err(|_| (StatusCode::INTERNAL_SERVER_ERROR, "server_error"))?;
    Ok(json!({ "access_token": token, "token_type": "Bearer", "expires_in": life }))
}

/// HTTP Basic with id and secret form-encoded, as RFC 6749 §2.3.1 wants them.
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    let pair = STANDARD.decode(encoded).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let pair = String::from_utf8(pair).ok()?;
    let (id, secret) = pair.split_once(':')?;
    // A text without `&` and `=` decodes to one pair with an empty value.
    let decoded = |text: &str| form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned());
    Some((decoded(id)?, decoded(secret)?))
}

const INVALID_CLIENT: Refused = (StatusCode::UNAUTHORIZED, "invalid_client");
const UNAVAILABLE: Refused = (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable");
