//! The backend of the page: keeps the credentials, and hands out what opens one socket. Answers no page but its own.

use std::{net::SocketAddr, sync::Arc};

use agentcore_client::{Error, ErrorKind, Runtime, SessionId, auth::SigV4, operation, ws::Expiry};
use axum::{
    Json, Router,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, InvalidHeaderValue, ORIGIN, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

/// An agent, and what its socket can be opened with.
#[derive(Clone, Debug)]
pub(crate) struct Agent {
    /// The agent, of a client with the token if there is one.
    pub(crate) runtime: Runtime,
    pub(crate) has_token: bool,
    pub(crate) signer: Option<SigV4>,
}

/// The page and its backend, for this address alone.
pub(crate) fn router(agent: Agent, address: SocketAddr) -> Result<Router, InvalidHeaderValue> {
    let site = Arc::new(Site::new(&agent, address)?);
    Ok(Router::new()
        .route("/", get(async || Html(include_str!("page.html"))))
        .route("/page.css", get(async || ([(CONTENT_TYPE, "text/css")], include_str!("page.css"))))
        .route("/page.js", get(async || ([(CONTENT_TYPE, "text/javascript")], include_str!("page.js"))))
        .route("/markdown.js", get(async || ([(CONTENT_TYPE, "text/javascript")], include_str!("markdown.js"))))
        .route("/ways", get(ways))
        .route("/socket", post(socket))
        .layer(middleware::from_fn_with_state(site, guard))
        .with_state(agent))
}

/// A way in for a browser.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    Presigned,
    Subprotocol,
}

/// Says which ways the credentials allow.
async fn ways(State(agent): State<Agent>) -> Json<Vec<Way>> {
    let presigned = agent.signer.map(|_| Way::Presigned);
    Json(presigned.into_iter().chain(agent.has_token.then_some(Way::Subprotocol)).collect())
}

/// What the page wants: a way in, and the session to go on in, if there is one already.
#[derive(Debug, Deserialize)]
struct SocketRequest {
    way: Way,
    session: Option<String>,
}

/// What the page gives to `new WebSocket(url, protocols)`. No `Debug`: it is a credential.
#[derive(Serialize)]
struct Key {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocols: Option<[String; 2]>,
    session: String,
}

/// Makes a key for one connection, which the page uses at once.
async fn socket(State(agent): State<Agent>, Json(request): Json<SocketRequest>) -> Result<Json<Key>, Refusal> {
    let mut opening = agent.runtime.websocket();
    if let Some(session) = request.session {
        opening = opening.session(&session.parse::<SessionId>()?);
    }
    let session = opening.session_id().as_str().to_owned();
    Ok(Json(match request.way {
        Way::Presigned => {
            let signer = agent.signer.ok_or_else(|| Error::input("a presigned URL needs AWS credentials"))?;
            let url = opening.presign_with(&signer, Expiry::from_secs(URL_LIFE_SECONDS)?).await?;
            Key { url: url.expose().to_owned(), protocols: None, session }
        }
        Way::Subprotocol => {
            let way_in = opening.subprotocol().await?;
            Key { url: way_in.url().to_owned(), protocols: Some(way_in.protocols().map(str::to_owned)), session }
        }
    }))
}

/// Why there is no key. The errors of this library hold no credential, so the page may show them.
struct Refusal(Error);

impl<E: Into<Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = if self.0.kind() == ErrorKind::Input { StatusCode::BAD_REQUEST } else { StatusCode::BAD_GATEWAY };
        (status, Json(serde_json::json!({ "error": self.0.to_string() }))).into_response()
    }
}

/// Who this is to browsers, and what they may do with it.
struct Site {
    host: HeaderValue,
    origin: HeaderValue,
    headers: HeaderMap,
}

impl Site {
    fn new(agent: &Agent, address: SocketAddr) -> Result<Self, InvalidHeaderValue> {
        let origin = format!("http://{address}");
        let runtime = agent.runtime.target().url(&operation::WEBSOCKET).unwrap_or_default();
        let socket = match (runtime.scheme_str(), runtime.authority()) {
            (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
            _ => String::new(),
        };
        // The page runs no script but its own, talks to nobody but its backend and the runtime, makes no markup of texts
        // (trusted types) and is shown in nobody's frame.
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' {socket}; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
        );
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_SECURITY_POLICY, policy.parse()?);
        // A key is for one connection: nothing may keep it.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        Ok(Self { host: address.to_string().parse()?, origin: origin.parse()?, headers })
    }

    /// Why a request is not this site's own, if it is not.
    ///
    /// The loopback interface keeps other machines out, and not other sites' pages in a browser on this one. These can send
    /// requests here, which bear their `Origin`; and a site whose name they let point here (DNS rebinding) is its own origin,
    /// but `Host` has that name.
    fn objection(&self, method: &Method, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
        if headers.get(HOST) != Some(&self.host) {
            return Some((StatusCode::MISDIRECTED_REQUEST, "open the page by the address that was printed"));
        }
        if method != Method::GET && headers.get(ORIGIN) != Some(&self.origin) {
            return Some((StatusCode::FORBIDDEN, "only the page itself may ask for this"));
        }
        None
    }
}

async fn guard(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let mut response = match site.objection(request.method(), request.headers()) {
        Some(objection) => objection.into_response(),
        None => next.run(request).await,
    };
    response.headers_mut().extend(site.headers.clone());
    response
}

/// Enough for a busy browser, and for a clock that is a little behind the service's.
const URL_LIFE_SECONDS: u64 = 60;
