//! The main job: whole and streamed, by token and by signature, with everything a caller can set.

use agentcore_client::{Client, CustomHeader, ErrorKind, Event, McpContext, Payload, SessionId, Target, TraceContext};
use agentcore_mock::{Caller, InboundAuth, Mock};
use futures_util::TryStreamExt;
use serde_json::{Value, json};

use crate::support::{agent, bearer, endpoint, keys, mock, sigv4, start};

#[tokio::test]
async fn a_whole_answer_by_token_and_by_signature() {
    let mock = mock().await;
    let session = SessionId::derive("my_session_123");
    let compatible = Client::builder().bearer_token(&mock.token()).endpoints(endpoint(&mock)).python_compatible();
    let compatible = compatible.build().unwrap();
    for (client, user) in [(bearer(&mock), None), (sigv4(&mock), None), (compatible, Some("agentcore-client"))] {
        let reply = client.runtime(mock.arn("echo")).invoke("Hello, world!").session(&session).await.unwrap();
        let expected = json!({
            "payload": {"prompt": "Hello, world!", "sessionId": session.as_str(), "enableTrace": true},
            "session_id": session.as_str(),
            "user_id": user,
            "qualifier": null,
        });
        assert_eq!(reply.json.as_ref().unwrap().parse::<Value>().unwrap(), expected);
        assert_eq!(
            serde_json::from_str::<Value>(&reply.text).unwrap(),
            expected,
            "JSON without known text is the text"
        );
        assert_eq!((reply.session_id.as_str(), reply.status, reply.events), (session.as_str(), 200, 1));
        assert!(reply.request_id.is_some());
        assert_eq!(reply.metadata.content_type.as_deref(), Some("application/json"));
        assert_eq!(reply.metadata.attempts, 1);
    }
    let callers: Vec<_> = mock.requests().into_iter().map(|request| request.caller.unwrap()).collect();
    assert!(matches!(&callers[0], Caller::Jwt { .. }));
    assert!(
        matches!(&callers[1], Caller::SigV4 { access_key_id, .. } if access_key_id == mock.credentials().access_key_id())
    );
}

#[tokio::test]
async fn a_stream_by_token_and_by_signature() {
    let mock = mock().await;
    for client in [bearer(&mock), sigv4(&mock)] {
        let mut events = client.runtime(mock.arn("story")).invoke("Tell me a story").stream().await.unwrap();
        let session = events.session_id().to_owned();
        let (mut text, mut pieces) = (String::new(), 0);
        while let Some(event) = events.try_next().await.unwrap() {
            let Some(piece) = event.text() else { continue };
            text.push_str(piece);
            pieces += 1;
        }
        assert!(text.starts_with("Once") && text.contains("Tell me a story"), "{text}");
        assert!(pieces > 30, "{pieces}");
        assert!(session.as_str().parse::<SessionId>().is_ok());
    }
}

#[tokio::test]
async fn everything_a_caller_can_set_reaches_the_agent() {
    let mock = start(Mock::builder().endpoint("my endpoint")).await;
    let runtime = bearer(&mock).runtime(mock.arn("headers")).qualifier("my endpoint".parse().unwrap());
    let trace = TraceContext::default()
        .trace_id("Root=1-5759e988-bd862e3fe1be46a994272793")
        .and_then(|trace| trace.traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
        .and_then(|trace| trace.tracestate("a=b"))
        .and_then(|trace| trace.baggage("k=v,k2=v 2"))
        .unwrap();
    let mcp = McpContext::default()
        .session_id("m-1")
        .and_then(|mcp| mcp.protocol_version("2025-06-18"))
        .and_then(|mcp| mcp.method("tools/call"))
        .and_then(|mcp| mcp.name("search"))
        .unwrap();
    let session = SessionId::random();
    let reply = runtime
        .invoke(Payload::json_text("{\"question\": 42}").unwrap())
        .session(&session)
        .user("jane@example.com".parse().unwrap())
        .header(CustomHeader::new("X-Amzn-Bedrock-AgentCore-Runtime-Custom-Tenant", "blue").unwrap())
        .trace(trace)
        .mcp(mcp)
        .await
        .unwrap();
    let headers: Vec<(String, String)> =
        serde_json::from_value(reply.json.unwrap().parse::<Value>().unwrap()["headers"].take()).unwrap();
    for (name, value) in [
        ("accept", "text/event-stream, application/json"),
        ("content-type", "application/json"),
        ("x-amzn-bedrock-agentcore-runtime-session-id", session.as_str()),
        ("x-amzn-bedrock-agentcore-runtime-user-id", "jane@example.com"),
        ("x-amzn-bedrock-agentcore-runtime-custom-tenant", "blue"),
        ("x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("tracestate", "a=b"),
        ("baggage", "k=v,k2=v 2"),
        ("mcp-session-id", "m-1"),
        ("mcp-protocol-version", "2025-06-18"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "search"),
    ] {
        let found: Vec<_> =
            headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
        assert_eq!(found, [value], "{name}");
    }
    assert!(!headers.iter().any(|(name, _)| name == "accept-encoding"), "nothing is asked for that is not decoded");
    let request = &mock.requests()[0];
    assert_eq!(request.query.as_deref(), Some("qualifier=my%20endpoint"));
    assert_eq!(request.body, "{\"question\": 42}");
}

/// The signature covers every custom header, and the mock's own verifier agrees with it.
#[tokio::test]
async fn odd_names_and_values_survive_signing() {
    let builder = Mock::builder().inbound_auth(InboundAuth::SigV4).endpoint("100% q/é");
    let mock = start(builder.agent("a_b-C-0123456789", |request: agentcore_mock::AgentRequest| async move {
        agentcore_mock::AgentResponse::json(request.prompt().unwrap_or_default())
    }))
    .await;
    let runtime = sigv4(&mock).runtime(mock.arn("a_b-C-0123456789")).qualifier("100% q/é".parse().unwrap());
    for runtime in [runtime.clone(), runtime.by_account()] {
        let reply = runtime
            .invoke("日本語 😀")
            .user("Jane   Doe".parse().unwrap())
            .header(CustomHeader::new("x-odd", "a  b\t c; d=\"e\"").unwrap())
            .await
            .unwrap();
        assert_eq!(reply.text, "日本語 😀");
    }
}

#[tokio::test]
async fn the_account_form_reaches_the_same_runtime() {
    let mock = mock().await;
    for client in [bearer(&mock), sigv4(&mock)] {
        let runtime = client.runtime(mock.arn("echo")).by_account();
        assert_eq!(runtime.invoke("x").await.unwrap().status, 200);
    }
    assert_eq!(mock.requests()[0].path, "/runtimes/echo/invocations");
    assert_eq!(mock.requests()[0].query.as_deref(), Some("accountId=123456789012"));
}

#[tokio::test]
async fn any_payload() {
    let mock = mock().await;
    let runtime = agent(&mock, "echo");
    for (payload, content_type, body) in [
        (Payload::from(json!([1, null])), Some("application/json"), "[1,null]"),
        (Payload::raw(Some("text/plain"), "just words"), Some("text/plain"), "just words"),
        (Payload::raw(None, ""), None, ""),
    ] {
        runtime.invoke(payload).await.unwrap();
        let request = mock.take_requests().pop().unwrap();
        assert_eq!((request.header("content-type"), &request.body[..]), (content_type, body.as_bytes()));
    }
}

#[tokio::test]
async fn a_plain_text_answer_is_text() {
    let mock = mock().await;
    let events: Vec<Event> = agent(&mock, "text").invoke("x").stream().await.unwrap().try_collect().await.unwrap();
    assert!(matches!(&events[..], [Event::Text(text), Event::Done(_)] if text.contains('x')), "{events:?}");
}

#[tokio::test]
async fn a_local_container_gets_no_credential() {
    let mock = start(Mock::builder().local_agent("headers")).await;
    let local = bearer(&mock).target(Target::local(mock.url()).unwrap());
    let reply = local.invoke("x").await.unwrap();
    assert!(!reply.text.contains("authorization"), "{}", reply.text);
    assert!(mock.requests()[0].header("authorization").is_none());
    assert_eq!(local.ping().await.unwrap().status, "Healthy");
    let error = bearer(&mock).runtime(mock.arn("echo")).ping().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Input, "a runtime behind the service offers no ping")
    );
}

#[tokio::test]
async fn who_is_let_in() {
    let jwt_only = start(Mock::builder().inbound_auth(InboundAuth::Jwt)).await;
    let keys_only = start(Mock::builder().inbound_auth(InboundAuth::SigV4)).await;
    let stranger = agentcore_client::Credentials::new("AKIASTRANGER", "wrong", None, None, "test");
    let altered = keys(&keys_only);
    let altered = agentcore_client::Credentials::new(
        altered.access_key_id(),
        "wrong",
        altered.session_token().map(str::to_owned),
        None,
        "x",
    );
    let client =
        |mock: &Mock| Client::builder().credentials(stranger.clone()).endpoints(endpoint(mock)).build().unwrap();
    let token =
        |mock: &Mock, text: &str| Client::builder().bearer_token(text).endpoints(endpoint(mock)).build().unwrap();
    let foreign = jwt_only.token_with(|claims| {
        claims.insert("client_id".into(), "somebody-else".into());
    });
    let tampered = {
        let good = jwt_only.token();
        let (rest, signature) = good.rsplit_once('.').unwrap();
        let first = if signature.starts_with('A') { 'B' } else { 'A' };
        format!("{rest}.{first}{}", &signature[1..])
    };
    let wrong_keys = Client::builder().credentials(altered).endpoints(endpoint(&keys_only)).build().unwrap();
    for (name, mock, client, kind, status) in [
        ("a stranger's key", &keys_only, client(&keys_only), ErrorKind::Authorization, 403),
        ("a wrong secret", &keys_only, wrong_keys, ErrorKind::Authorization, 403),
        ("a token where keys are wanted", &keys_only, bearer(&keys_only), ErrorKind::Authorization, 403),
        ("keys where a token is wanted", &jwt_only, sigv4(&jwt_only), ErrorKind::Authorization, 403),
        ("an opaque token", &jwt_only, token(&jwt_only, "opaque"), ErrorKind::Authentication, 401),
        ("a tampered token", &jwt_only, token(&jwt_only, &tampered), ErrorKind::Authentication, 401),
        ("another client's token", &jwt_only, token(&jwt_only, &foreign), ErrorKind::Authentication, 401),
    ] {
        let error = client.runtime(mock.arn("echo")).invoke("x").idempotent().await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (kind, Some(status)), "{name}: {error}");
        // A refused token's holder is told whose tokens are wanted, which is asked for once and without a credential.
        let issuers: &[String] = if status == 401 { &[mock.url().to_owned()] } else { &[] };
        assert_eq!(error.issuers(), issuers, "{name}");
        let (invocations, others): (Vec<_>, Vec<_>) =
            mock.take_requests().into_iter().partition(|request| request.path.ends_with("/invocations"));
        assert_eq!(invocations.len(), 1, "{name}: what was refused is not sent twice");
        assert_eq!(others.len(), issuers.len(), "{name}");
        assert!(others.iter().all(|request| request.header("authorization").is_none()), "{name}");
    }
}

/// A token that has expired by its own word is not sent at all.
#[tokio::test]
async fn an_expired_token_stays_here() {
    let mock = mock().await;
    let expired = mock.token_with(|claims| {
        claims.insert("exp".into(), 1_000_000_000.into());
    });
    let client = Client::builder().bearer_token(&expired).endpoints(endpoint(&mock)).build().unwrap();
    let error = client.runtime(mock.arn("echo")).invoke("x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ExpiredToken);
    assert!(
        error.to_string().starts_with("the bearer token expired ")
            && error.to_string().ends_with(" days ago and was not sent")
    );
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn bad_input_sends_nothing() {
    let mock = mock().await;
    assert_eq!(Client::builder().bearer_token("").build().unwrap_err().kind(), ErrorKind::Input);
    let crowd = (0..21).fold(agent(&mock, "echo").invoke("x"), |call, n| {
        call.header(CustomHeader::new(&format!("x-{n}"), "v").unwrap())
    });
    let small = Client::builder().bearer_token(&mock.token()).endpoints(endpoint(&mock));
    let small = small.map(|http| http.max_payload_bytes(10)).build().unwrap();
    let large = small.runtime(mock.arn("echo")).invoke(Payload::raw(None, vec![0; 11]));
    for call in [crowd, large] {
        assert_eq!(call.await.unwrap_err().kind(), ErrorKind::Input);
    }
    assert_eq!((mock.requests().len(), mock.connections()), (0, 0));
}

#[tokio::test]
async fn a_hundred_megabytes_pass_and_one_byte_more_does_not() {
    let mock = mock().await;
    let runtime = agent(&mock, "echo");
    let error = runtime.invoke(Payload::raw(None, vec![b'x'; 100_000_001])).await.unwrap_err();
    assert_eq!((error.kind(), mock.connections()), (ErrorKind::Input, 0));
    runtime.invoke(Payload::raw(None, vec![b'x'; 100_000_000])).send().await.unwrap();
    assert_eq!(mock.requests()[0].body.len(), 100_000_000);
}

/// What makes a client shareable is checked by the compiler.
#[test]
fn clients_and_futures_cross_threads() {
    fn shareable<T: Clone + Send + Sync + 'static>() {}
    fn sendable<T: Send + 'static>(_: T) {}
    shareable::<Client>();
    shareable::<agentcore_client::Runtime>();
    let client = Client::builder().bearer_token("x").build().unwrap();
    let arn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x".parse().unwrap();
    let runtime = client.runtime(arn);
    sendable(runtime.invoke("x").into_future());
    sendable(runtime.invoke("x").stream());
    sendable(runtime.invoke("x").send());
    assert!(size_of::<agentcore_client::Error>() <= 16 && size_of::<agentcore_client::auth::Error>() <= 16);
}
