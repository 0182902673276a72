//! Handshakes of WebSockets as bytes: the ways in, what is refused and in which order, and what the answer says.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::{io::AsyncReadExt, net::TcpStream};

use super::*;
use crate::{CredentialForm, Credentials};

/// The headers of RFC 6455 section 1.2's example.
pub(super) const UPGRADE: &[(&str, &str)] = &[
    ("Host", "x"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
];

pub(super) fn target(agent: &str) -> String {
    path(agent).replace("/invocations", "/ws")
}

/// Sends the bytes of a handshake and reads the answer, behind which the socket is left open.
async fn exchange(mock: &Mock, target: &str, headers: &[(&str, &str)]) -> (Answer, TcpStream) {
    let mut socket = connect(mock, &head(&format!("GET {target} HTTP/1.1"), headers)).await;
    // Not a byte further than the answer goes, for frames may follow it.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    let mut answer = Answer::read(std::str::from_utf8(&head).unwrap());
    let mut body = vec![0; answer.header("content-length").parse().unwrap_or_default()];
    socket.read_exact(&mut body).await.unwrap();
    answer.body = String::from_utf8(body).unwrap();
    (answer, socket)
}

/// Shakes hands with the headers of an upgrade and some more.
pub(super) async fn open(mock: &Mock, target: &str, headers: &[(&str, &str)]) -> (Answer, TcpStream) {
    exchange(mock, target, &[UPGRADE, headers].concat()).await
}

fn subprotocols(token: &str) -> String {
    format!("base64UrlBearerAuthorization.{}, base64UrlBearerAuthorization", URL_SAFE_NO_PAD.encode(token))
}

#[tokio::test]
async fn tokens_in_either_header() {
    let mock = start().await;
    let (bearer, subprotocols) = (bearer(&mock), subprotocols(&mock.token()));
    for (header, value, credential_form, selected) in [
        ("Authorization", &bearer, CredentialForm::Bearer, ""),
        ("Sec-WebSocket-Protocol", &subprotocols, CredentialForm::Subprotocol, "base64UrlBearerAuthorization"),
    ] {
        let line = format!("{}?qualifier=DEFAULT", target("echo"));
        let headers = [(header, value.as_str()), (SESSION_HEADER, SESSION), ("traceparent", "00-x")];
        let (answer, _) = open(&mock, &line, &headers).await;
        assert_eq!(answer.status, 101, "{header}: {}", answer.body);
        assert_eq!(answer.header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(answer.header("sec-websocket-protocol"), selected);
        assert_eq!(answer.header("x-amzn-bedrock-agentcore-runtime-session-id"), SESSION);
        assert_eq!(answer.header("traceparent"), "00-x");
        assert_eq!(answer.header("x-amzn-requestid").len(), 36);

        let [request] = mock.take_requests().try_into().unwrap();
        assert_eq!((request.method.as_str(), request.path), ("GET", target("echo")));
        assert_eq!((request.query.as_deref(), request.agent.as_deref()), (Some("qualifier=DEFAULT"), Some("echo")));
        assert_eq!((request.credential_form, request.session_id.as_deref()), (Some(credential_form), Some(SESSION)));
        assert_eq!(request.caller, Some(Caller::Jwt { subject: SUBJECT.to_owned() }));
        assert_eq!(request.error, None);
        let debug = format!("{:?}", request.headers);
        assert!(!debug.contains(&value[30..60]), "{debug}");
    }
}

/// The golden handshakes are those of `tests/vectors`; none of them is for an agent of the mock's own.
#[tokio::test]
async fn signatures_in_headers_and_query() {
    let file: Value = serde_json::from_str(include_str!("../../../../../tests/vectors/ws_vectors.json")).unwrap();
    let vector = |name: &str| file["vectors"].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap();
    let mock = Mock::builder()
        .inbound_auth(InboundAuth::SigV4)
        .clock(|| UNIX_EPOCH + Duration::from_secs(1_755_261_296))
        .credentials(Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None))
        .start()
        .await
        .unwrap();
    for (name, credential_form) in
        [("ws_basic", CredentialForm::Signature), ("presign_qualifier", CredentialForm::PresignedUrl)]
    {
        let url = vector(name)["url"].as_str().unwrap().strip_prefix("wss://").unwrap();
        let (host, rest) = url.split_once('/').unwrap();
        let rest = format!("/{rest}");
        let mut headers = [&[("Host", host)], &UPGRADE[1..]].concat();
        if credential_form == CredentialForm::Signature {
            for name in ["X-Amz-Date", "Authorization"] {
                headers.push((name, vector("ws_basic")["headers"][name].as_str().unwrap()));
            }
        }
        let (answer, _) = exchange(&mock, &rest, &headers).await;
        assert_eq!(answer.error(), NOT_FOUND, "{name}: {}", answer.body);
        let request = mock.requests().pop().unwrap();
        assert_eq!(request.caller, Some(Caller::SigV4 { access_key_id: "AKIDEXAMPLE".to_owned() }));
        assert_eq!(request.credential_form, Some(credential_form));
        let in_query = (credential_form == CredentialForm::PresignedUrl).then_some(SESSION);
        assert_eq!(request.session_id.as_deref().filter(|id| id.len() > 36), in_query);

        let (answer, _) = exchange(&mock, &rest.replace("my_agent", "my_Agent"), &headers).await;
        assert_eq!(answer.error(), (403, "InvalidSignatureException"), "{name}");
    }
}

#[tokio::test]
async fn one_way_in_at_a_time_and_only_those_accepted() {
    let jwt = Mock::builder().inbound_auth(InboundAuth::Jwt).start().await.unwrap();
    let sigv4 = Mock::builder().inbound_auth(InboundAuth::SigV4).start().await.unwrap();
    let either = start().await;
    let presigned = target("echo") + "?X-Amz-Signature=0";
    let plain = target("echo");
    for (mock, target, way, expected) in [
        (&either, &plain, "", MISSING),
        (&jwt, &plain, "", UNAUTHORIZED),
        (&sigv4, &plain, "", MISSING),
        (&jwt, &plain, "bs", INVALID),
        (&either, &presigned, "b", INVALID),
        (&either, &presigned, "s", INVALID),
        (&either, &presigned, "bs", INVALID),
        (&either, &presigned, "", INCOMPLETE),
        (&jwt, &presigned, "", DENIED),
        (&sigv4, &plain, "b", DENIED),
        (&sigv4, &plain, "s", DENIED),
        (&sigv4, &presigned, "", INCOMPLETE),
    ] {
        let (bearer, subprotocols) = (bearer(mock), subprotocols(&mock.token()));
        let mut headers = Vec::new();
        if way.contains('b') {
            headers.push(("Authorization", bearer.as_str()));
        }
        if way.contains('s') {
            headers.push(("Sec-WebSocket-Protocol", subprotocols.as_str()));
        }
        let (answer, _) = open(mock, target, &headers).await;
        assert_eq!(answer.error(), expected, "{target} {way}: {}", answer.body);
        let request = mock.requests().pop().unwrap();
        assert_eq!((request.error, request.credential_form, request.caller), (Some(expected.1), None, None));
    }
    for mock in [&jwt, &either] {
        let bad = subprotocols("x.y.z");
        let (answer, _) = open(mock, &plain, &[("Sec-WebSocket-Protocol", &bad)]).await;
        assert_eq!(answer.error(), UNAUTHORIZED);
        let metadata = path("echo") + "/.well-known/oauth-protected-resource";
        let challenge = format!("Bearer resource_metadata=\"{}{metadata}\"", mock.url());
        assert_eq!(answer.header("www-authenticate"), challenge);
    }
}

#[tokio::test]
async fn sessions_by_header_or_query() {
    let mock = start().await;
    let bearer = bearer(&mock);
    let other = SESSION.replace("session", "another");
    let long = |length: usize| "x".repeat(length);
    for (header, query, expected) in [
        (Some(SESSION), vec![], Ok(SESSION)),
        (None, vec![SESSION], Ok(SESSION)),
        (Some(SESSION), vec![SESSION], Ok(SESSION)),
        (None, vec!["session%2D0123456789-0123456789-0123456789"], Ok(SESSION)),
        (None, vec![&*long(33)], Ok(&*long(33))),
        (None, vec![&*long(256)], Ok(&*long(256))),
        (None, vec![], Ok("")),
        (Some(&*other), vec![SESSION], Err("The request names more than one session.")),
        (None, vec![SESSION, SESSION], Err("The request names more than one session.")),
        (None, vec![&*long(32)], Err("greater than or equal to 33")),
        (None, vec![&*long(257)], Err("less than or equal to 256")),
        (None, vec![""], Err("greater than or equal to 33")),
        (None, vec![&*"%C3%A9".repeat(40)], Err("visible ASCII characters only")),
        (None, vec![&*"%0A".repeat(40)], Err("visible ASCII characters only")),
        (Some("short"), vec![], Err("greater than or equal to 33")),
    ] {
        let parameters: Vec<String> = query.iter().map(|id| format!("{SESSION_HEADER}={id}")).collect();
        let mut headers = vec![("Authorization", bearer.as_str())];
        headers.extend(header.map(|id| (SESSION_HEADER, id)));
        let (answer, _) = open(&mock, &format!("{}?{}", target("echo"), parameters.join("&")), &headers).await;
        let echoed = answer.header("x-amzn-bedrock-agentcore-runtime-session-id");
        match expected {
            Ok(expected) => {
                assert_eq!(answer.status, 101, "{header:?} {query:?}: {}", answer.body);
                assert!(echoed == expected || expected.is_empty() && echoed.len() == 36, "{header:?} {query:?}");
                assert_eq!(mock.requests().pop().unwrap().session_id.as_deref(), Some(echoed));
            }
            Err(message) => {
                assert_eq!(answer.error(), INVALID, "{header:?} {query:?}");
                assert!(answer.body.contains(message), "{}", answer.body);
            }
        }
    }
}

#[tokio::test]
async fn who_comes_before_what_and_what_before_where() {
    let mock = start().await;
    let bearer = bearer(&mock);
    let good = ("Authorization", bearer.as_str());
    let bad = ("Authorization", "Bearer x");
    let short = (SESSION_HEADER, "short");
    let chat = ("Sec-WebSocket-Protocol", "chat");
    let without = |name: &str| UPGRADE.iter().copied().filter(|(known, _)| *known != name).collect::<Vec<_>>();
    let with = |name: &'static str, value: &'static str| [&without(name)[..], &[(name, value)]].concat();
    let all = UPGRADE.to_vec();
    for (agent, upgrade, headers, expected) in [
        ("nobody", without("Upgrade"), vec![bad], UNAUTHORIZED),
        ("nobody", all.clone(), vec![good, short], INVALID),
        ("nobody", all.clone(), vec![good, chat], INVALID),
        ("nobody", without("Upgrade"), vec![good], INVALID),
        ("nobody", all.clone(), vec![good], NOT_FOUND),
        ("echo", without("Connection"), vec![good], INVALID),
        ("echo", without("Sec-WebSocket-Key"), vec![good], INVALID),
        ("echo", without("Sec-WebSocket-Version"), vec![good], INVALID),
        ("echo", with("Sec-WebSocket-Version", "8"), vec![good], INVALID),
        ("echo", with("Sec-WebSocket-Key", "c2hvcnQ="), vec![good], INVALID),
        ("echo", with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ"), vec![good], INVALID),
        ("echo", with("Upgrade", "h2c"), vec![good], INVALID),
        ("echo", all.clone(), vec![bad, ("Host", "y")], INVALID),
        ("echo", all.clone(), vec![bad, ("Upgrade", "websocket")], INVALID),
        ("echo", all.clone(), vec![bad, ("Connection", "Upgrade")], INVALID),
        ("echo", all.clone(), vec![bad, ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")], INVALID),
        ("echo", all.clone(), vec![bad, ("Sec-WebSocket-Version", "13")], INVALID),
        ("echo", all.clone(), vec![bad, chat, chat], INVALID),
        ("text", all.clone(), vec![good], UNSUPPORTED),
        ("stall", all.clone(), vec![good], UNSUPPORTED),
    ] {
        let (answer, _) = exchange(&mock, &target(agent), &[upgrade.clone(), headers.clone()].concat()).await;
        assert_eq!(answer.error(), expected, "{agent} {upgrade:?} {headers:?}");
        assert_eq!(answer.header("x-amzn-requestid").len(), 36);
        let refusal = mock.requests().pop().unwrap().error;
        assert_eq!(refusal, (expected.0 != 424).then_some(expected.1), "{agent}");
    }
    for (target, expected) in [
        (target("echo").replace("123456789012", "210987654321"), DENIED),
        ("/runtimes/echo/ws".to_owned(), INVALID),
        ("/runtimes/echo/ws?accountId=210987654321".to_owned(), DENIED),
    ] {
        assert_eq!(open(&mock, &target, &[good]).await.0.error(), expected, "{target}");
    }
    assert_eq!(open(&mock, "/runtimes/echo/ws?accountId=123456789012", &[good]).await.0.status, 101);
    // The SDK's handshake behind the library's: all of it, and the first key counts.
    let sdk = with("Sec-WebSocket-Key", "AQIDBAUGBwgJCgsMDQ4PEA==");
    let answer = open(&mock, &target("echo"), &[&sdk[..], &[good]].concat()).await.0;
    assert_eq!((answer.status, answer.header("sec-websocket-accept")), (101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    for (name, value) in [("Host", "y"), ("Sec-WebSocket-Version", "8")] {
        let changed = [&without(name)[..], &[(name, value), good]].concat();
        assert_eq!(open(&mock, &target("echo"), &changed).await.0.error(), INVALID, "{name}");
    }
    // Its headers of a shell have the host alone once more.
    assert_eq!(open(&mock, &target("echo"), &[("Host", "x"), good]).await.0.status, 101);
    for hosts in [vec![("Host", "y")], vec![("Host", "x"), ("Host", "x")]] {
        let headers = [&hosts[..], &[good]].concat();
        assert_eq!(open(&mock, &target("echo"), &headers).await.0.error(), INVALID, "{hosts:?}");
    }
    let posted = send(&mock, &format!("POST {}", target("echo")), &[good], "").await;
    assert_eq!(posted.error(), UNKNOWN);
    assert_eq!(invoke(&mock, "drop").await.error(), UNSUPPORTED);
}

#[tokio::test]
async fn a_local_container_asks_for_nothing() {
    let mock = start().await;
    for (headers, session_id) in [(vec![], None), (vec![(SESSION_HEADER, "short")], Some("short"))] {
        let (answer, _) = open(&mock, "/ws", &headers).await;
        assert_eq!((answer.status, answer.header("x-amzn-requestid")), (101, ""));
        let request = mock.requests().pop().unwrap();
        assert_eq!((request.caller, request.credential_form, request.session_id.as_deref()), (None, None, session_id));
        assert_eq!(request.agent.as_deref(), Some("echo"));
    }
    for host in ["x", "y"] {
        let (answer, _) = open(&mock, "/ws", &[("Host", host)]).await;
        assert_eq!(answer.error(), INVALID, "{host}");
    }
    let (answer, _) = exchange(&mock, "/ws", &UPGRADE[..1]).await;
    assert_eq!(answer.error(), INVALID);
}
