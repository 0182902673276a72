//! The example's backend: who gets a key, and what a key opens. That a browser can use it, `cargo xtask interop` sees.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../examples/browser_chat/backend.rs"]
mod backend;

use agentcore_client::{Client, Credentials, Endpoint, auth::SigV4};
use agentcore_mock::{CredentialForm, Mock};
use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode},
};
use backend::Agent;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};
use tower_service::Service;

const HOST: &str = "127.0.0.1:8123";
const ORIGIN: &str = "http://127.0.0.1:8123";
const SESSION: &str = "session-0123456789-0123456789-0123456789";

/// What the backend may use.
#[derive(Clone, Copy)]
struct Given {
    token: bool,
    keys: bool,
}

const BOTH: Given = Given { token: true, keys: true };

fn agent(mock: &Mock, given: Given) -> Agent {
    let keys = mock.credentials();
    let session_token = keys.session_token().map(str::to_owned);
    let keys = Credentials::new(keys.access_key_id(), keys.secret_access_key(), session_token, None, "mock");
    let builder = Client::builder().endpoints(mock.url().parse::<Endpoint>().unwrap());
    let builder = if given.token { builder.bearer_token(&mock.token()) } else { builder.credentials(keys.clone()) };
    let runtime = builder.build().unwrap().runtime(mock.arn("echo"));
    Agent { runtime, has_token: given.token, signer: given.keys.then(|| SigV4::new(keys)) }
}

async fn answer(agent: Agent, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
    let mut router = backend::router(agent, HOST.parse().unwrap()).unwrap();
    let (parts, body) = Service::call(&mut router, request).await.unwrap().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

fn request(method: Method, path: &str, host: &str, origin: Option<&str>, body: &Value) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).header("host", host);
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    request.header("content-type", "application/json").body(body.to_string().into()).unwrap()
}

async fn socket(agent: Agent, wish: Value) -> (StatusCode, Value) {
    let (status, _, body) = answer(agent, request(Method::POST, "/socket", HOST, Some(ORIGIN), &wish)).await;
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn only_the_page_itself_gets_anything() {
    let mock = Mock::builder().start().await.unwrap();
    let (get, post, wish) = (Method::GET, Method::POST, json!({ "way": "presigned" }));
    for (method, path, host, origin, expected) in [
        (&get, "/", HOST, None, 200),
        (&get, "/page.js", HOST, None, 200),
        (&get, "/markdown.js", HOST, None, 200),
        (&get, "/ways", HOST, None, 200),
        (&post, "/socket", HOST, Some(ORIGIN), 200),
        // Another site's page, one in a sandbox, one of another port, and what is no browser.
        (&post, "/socket", HOST, Some("https://evil.test"), 403),
        (&post, "/socket", HOST, Some("null"), 403),
        (&post, "/socket", HOST, Some("http://127.0.0.1:8124"), 403),
        (&post, "/socket", HOST, None, 403),
        // A site whose name was let point here.
        (&post, "/socket", "evil.test:8123", Some("http://evil.test:8123"), 421),
        (&post, "/socket", "evil.test:8123", Some(ORIGIN), 421),
        (&get, "/", "evil.test:8123", None, 421),
        (&get, "/ways", "localhost:8123", None, 421),
        // A link or a picture asks by GET.
        (&get, "/socket", HOST, None, 405),
    ] {
        let (status, headers, body) =
            answer(agent(&mock, BOTH), request(method.clone(), path, host, origin, &wish)).await;
        assert_eq!(status, expected, "{method} {path} {host} {origin:?}");
        assert_eq!(body.contains("X-Amz-Signature"), path == "/socket" && expected == 200, "{body}");
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' {}; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
            mock.url().replace("http:", "ws:")
        );
        for (name, value) in [
            ("cache-control", "no-store"),
            ("content-security-policy", &policy),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(headers[name], value);
        }
        assert!(!headers.contains_key("access-control-allow-origin"));
    }
}

#[tokio::test]
async fn a_key_opens_one_session_by_the_way_that_was_wished_for() {
    let mock = Mock::builder().start().await.unwrap();
    let agent = agent(&mock, BOTH);
    for (way, way_in) in [("presigned", CredentialForm::PresignedUrl), ("subprotocol", CredentialForm::Subprotocol)] {
        let (status, first) = socket(agent.clone(), json!({ "way": way })).await;
        assert_eq!(status, 200);
        let session = first["session"].as_str().unwrap();
        let (_, other) = socket(agent.clone(), json!({ "way": way })).await;
        assert_ne!(other["session"], session);
        let (_, again) = socket(agent.clone(), json!({ "way": way, "session": session })).await;
        assert_eq!(again["session"], session);

        let url = again["url"].as_str().unwrap();
        assert_eq!(url.contains("&X-Amz-Expires=60&"), way == "presigned");
        assert_eq!(again.as_object().unwrap().contains_key("protocols"), way == "subprotocol");
        let mut opening = url.into_client_request().unwrap();
        if let Some(protocols) = again["protocols"].as_array() {
            let protocols: Vec<_> = protocols.iter().filter_map(Value::as_str).collect();
            opening.headers_mut().insert("sec-websocket-protocol", protocols.join(", ").parse().unwrap());
        }
        let (mut socket, _) = tokio_tungstenite::connect_async(opening).await.unwrap();
        socket.send(Message::text("hello")).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
        let seen = mock.take_requests().pop().unwrap();
        assert_eq!((seen.credential_form, seen.session_id.as_deref()), (Some(way_in), Some(session)));
    }
}

#[tokio::test]
async fn why_there_is_no_key() {
    let mock = Mock::builder().start().await.unwrap();
    let (only_token, only_keys) = (Given { token: true, keys: false }, Given { token: false, keys: true });
    for (given, ways) in [
        (BOTH, json!(["presigned", "subprotocol"])),
        (only_token, json!(["subprotocol"])),
        (only_keys, json!(["presigned"])),
    ] {
        let (_, _, body) = answer(agent(&mock, given), request(Method::GET, "/ways", HOST, None, &Value::Null)).await;
        assert_eq!(body.parse::<Value>().unwrap(), ways);
    }
    for (given, wish, expected) in [
        (only_token, json!({ "way": "presigned" }), "a presigned URL needs AWS credentials"),
        (only_keys, json!({ "way": "subprotocol" }), "the subprotocol needs a bearer token"),
        (
            BOTH,
            json!({ "way": "presigned", "session": "short" }),
            "invalid session id \"short\": it has 5 characters, at least 33 are needed",
        ),
    ] {
        assert_eq!(socket(agent(&mock, given), wish).await, (StatusCode::BAD_REQUEST, json!({ "error": expected })));
    }
    let expired = mock.token_with(|claims| {
        claims.insert("exp".into(), 1_700_000_000.into());
    });
    let endpoint: Endpoint = mock.url().parse().unwrap();
    let client = Client::builder().bearer_token(&expired).endpoints(endpoint).build().unwrap();
    let late = Agent { runtime: client.runtime(mock.arn("echo")), has_token: true, signer: None };
    let (status, body) = socket(late, json!({ "way": "subprotocol", "session": SESSION })).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert!(body["error"].as_str().unwrap().starts_with("the bearer token expired "), "{body}");
    assert!(mock.requests().is_empty());
}
