//! What the head of an answer says, and limits that a caller lowers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use agentcore_core::Target;
use agentcore_transport::testing::{Script, answer};
use futures_util::TryStreamExt;

use crate::{Auth, ErrorKind, HttpClient, Invocation, Response};

async fn respond(headers: &[(&'static str, &'static str)], body: &'static str) -> Response {
    let script = Script::of(vec![answer(200, headers, body)]);
    let client = HttpClient::builder(Auth::None).over(script.network(), || 0.0);
    client.invoke(&Target::local("http://127.0.0.1:1").unwrap(), &Invocation::new("x").any_session()).await.unwrap()
}

/// A credential goes there: not in plain text, and not to a host that only looks like another.
#[tokio::test]
async fn where_a_session_is_reached() {
    for (url, expected) in [
        ("https://abc.sessions.example.com/", Some("https://abc.sessions.example.com/")),
        ("https://abc.sessions.example.com:8443/s/1?x=%20", Some("https://abc.sessions.example.com:8443/s/1?x=%20")),
        ("http://127.0.0.1:8080/", Some("http://127.0.0.1:8080/")),
        ("http://abc.sessions.example.com/", None),
        ("https://sessions.amazonaws.com@evil.example/", None),
        ("wss://abc.sessions.example.com/", None),
        ("/only/a/path", None),
        ("not a url", None),
        ("", None),
    ] {
        let response = respond(&[("x-amzn-bedrock-agentcore-runtime-session-endpoint-url", url)], "").await;
        assert_eq!(response.session_endpoint_url().map(|url| url.to_string()).as_deref(), expected, "{url}");
    }
    assert_eq!(respond(&[], "").await.session_endpoint_url(), None);
}

#[tokio::test]
async fn the_session_that_the_answer_names() {
    for (headers, expected) in [
        (&[("x-amzn-bedrock-agentcore-runtime-session-id", "s-1")][..], Some("s-1")),
        (&[("x-amzn-bedrock-agentcore-runtime-session-id", "")], None),
        (&[], None),
    ] {
        let response = respond(headers, "").await;
        assert_eq!(response.answered_session().map(|id| id.as_str()), expected);
    }
}

#[tokio::test]
async fn limits_are_lowered_and_never_raised() {
    for (answer_bytes, event_bytes, fits) in [(7, 100, false), (8, 100, true), (usize::MAX, 100, true)] {
        let whole = respond(&[], "12345678").await.limited_to(answer_bytes, event_bytes);
        assert_eq!(whole.bytes().await.map_err(|error| error.kind()).is_ok(), fits, "{answer_bytes}");
    }
    let whole = respond(&[], "12345678").await.limited_to(7, 7).limited_to(100, 100);
    assert_eq!(whole.bytes().await.unwrap_err().kind(), ErrorKind::TooLarge);
    for (event_bytes, fits) in [(20, true), (3, false)] {
        let events = respond(&[], "data: 12345678\n\n").await.limited_to(100, event_bytes).events();
        assert_eq!(events.try_collect::<Vec<_>>().await.is_ok(), fits, "{event_bytes}");
    }
}
