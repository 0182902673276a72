//! A2A agents through the transport: versions, sessions, streams and how they end. The bytes are those that agents on the Python SDK of
//! 0.3 and of 1.x sent.

use std::convert::Infallible;

use agentcore_client::{A2a, Client, ErrorKind, Target};
use agentcore_mock::{AgentRequest, AgentResponse, Mock};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};

use crate::{
    mcp::broken_off,
    support::{bearer, sigv4, start},
};

const SESSION: &str = "x-amzn-bedrock-agentcore-runtime-session-id";
const VERSION: &str = "a2a-version";

fn request(method: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": "1", "method": method, "params": {"message": {"messageId": "m1"}}})
}

async fn agent(answer: impl Fn() -> AgentResponse + Send + Sync + 'static) -> Mock {
    start(Mock::builder().agent("a2a", move |_: AgentRequest| std::future::ready(answer()))).await
}

/// A stream of these events, which breaks off at the end or ends.
fn events(pieces: &[&'static str], breaks_off: bool) -> AgentResponse {
    let pieces: Vec<_> = pieces.iter().map(|piece| Bytes::from_static(piece.as_bytes())).collect();
    match breaks_off {
        true => broken_off(pieces),
        false => AgentResponse::stream(
            "text/event-stream; charset=utf-8",
            stream::iter(pieces.into_iter().map(Ok::<_, Infallible>)),
        ),
    }
}

const WORKING_0_3: &str = "data: {\"id\":\"1\",\"jsonrpc\":\"2.0\",\"result\":{\"contextId\":\"c1\",\"final\":false,\
    \"kind\":\"status-update\",\"status\":{\"state\":\"working\"},\"taskId\":\"t1\"}}\n\n";
const COMPLETED_0_3: &str = "data: {\"id\":\"1\",\"jsonrpc\":\"2.0\",\"result\":{\"contextId\":\"c1\",\"final\":true,\
    \"kind\":\"status-update\",\"status\":{\"state\":\"completed\"},\"taskId\":\"t1\"}}\n\n";
const ARTIFACT_1: &str = "data: {\"result\": {\"artifactUpdate\": {\"taskId\": \"t1\", \"artifact\": {\"artifactId\": \"a1\", \
    \"parts\": [{\"text\": \"Hi\"}]}}}, \"id\": \"1\", \"jsonrpc\": \"2.0\"}\n\n";
const COMPLETED_1: &str = "data: {\"result\": {\"statusUpdate\": {\"taskId\": \"t1\", \"status\": {\"state\": \
    \"TASK_STATE_COMPLETED\"}}}, \"id\": \"1\", \"jsonrpc\": \"2.0\"}\n\n";
const ERROR_1: &str = "event: error\ndata: {\"jsonrpc\": \"2.0\", \"id\": \"1\", \"error\": {\"code\": -32603, \"message\": \"boom\"}}\n\n";

#[tokio::test]
async fn versions_and_sessions() {
    let mock = agent(|| AgentResponse::json(json!({"jsonrpc": "2.0", "id": "1", "result": {}}))).await;
    for client in [bearer(&mock), sigv4(&mock)] {
        let a2a = client.runtime(mock.arn("a2a")).a2a();
        for method in ["message/send", "SendMessage", "tasks/get"] {
            a2a.send(&request(method)).await.unwrap().result().await.unwrap();
        }
        a2a.clone().version("0.3").unwrap().send(&request("GetTask")).await.unwrap();
        let requests = mock.take_requests();
        let versions: Vec<_> = requests.iter().map(|request| request.header(VERSION)).collect();
        assert_eq!(versions, [None, Some("1.0"), None, Some("0.3")]);
        let session = a2a.session().unwrap();
        let sessions: Vec<_> = requests.iter().map(|request| request.header(SESSION)).collect();
        assert_eq!(
            sessions,
            [None, Some(session.id().as_str()), Some(session.id().as_str()), Some(session.id().as_str())]
        );
        assert!(requests.iter().all(|request| request.header("accept") == Some("application/json, text/event-stream")));
        let named = client.runtime(mock.arn("a2a")).new_session();
        named.a2a().send(&request("message/send")).await.unwrap();
        assert_eq!(mock.take_requests()[0].header(SESSION), Some(named.id().as_str()));
    }
    assert!(bearer(&mock).runtime(mock.arn("a2a")).a2a().version("1\n").is_err());
}

/// What comes of a stream: how many messages, and the kind and the code of the error that ends it.
#[tokio::test]
async fn streams() {
    use ErrorKind::{Agent, BrokenOff};
    type Expected = (usize, Option<(ErrorKind, Option<&'static str>)>);
    let cases: [(&[&str], bool, Expected); 7] = [
        (&[WORKING_0_3, COMPLETED_0_3], false, (2, None)),
        (&[ARTIFACT_1, COMPLETED_1], false, (2, None)),
        // An exception in a 0.3 agent cuts the connection, or ends the stream with nothing more.
        (&[WORKING_0_3], true, (1, Some((BrokenOff, None)))),
        (&[WORKING_0_3], false, (1, Some((BrokenOff, None)))),
        // In a 1.x agent it is an event of its own.
        (&[ARTIFACT_1, ERROR_1], false, (1, Some((Agent, Some("-32603"))))),
        (&[ARTIFACT_1], false, (1, Some((BrokenOff, None)))),
        (&[], false, (0, Some((BrokenOff, None)))),
    ];
    for (pieces, breaks_off, (messages, failure)) in cases {
        let mock = agent(move || events(pieces, breaks_off)).await;
        let a2a = bearer(&mock).runtime(mock.arn("a2a")).a2a();
        let mut found = a2a.send(&request("SendStreamingMessage")).await.unwrap().messages();
        for _ in 0..messages {
            assert!(found.try_next().await.unwrap().is_some(), "{pieces:?}");
        }
        match (found.try_next().await, failure) {
            (Ok(None), None) => {}
            (Err(error), Some(expected)) => {
                assert_eq!((error.kind(), error.code()), expected, "{pieces:?}");
                assert!(error.may_have_run() && error.session_id().is_some());
            }
            (found, _) => panic!("{pieces:?}: {found:?}"),
        }
        assert!(found.next().await.is_none());
    }
}

/// The same answer as what the agent says.
#[tokio::test]
async fn as_events() {
    let mock = agent(|| events(&[ARTIFACT_1, COMPLETED_1], false)).await;
    let a2a = bearer(&mock).runtime(mock.arn("a2a")).a2a();
    let reply = a2a.send(&request("SendStreamingMessage")).await.unwrap().events().into_reply().await.unwrap();
    assert_eq!(&*reply.text, "Hi");
}

#[tokio::test]
async fn errors_of_json_rpc() {
    let error = json!({"code": -32001, "message": "Task not found"});
    let mock = agent(move || AgentResponse::json(json!({"jsonrpc": "2.0", "id": "1", "error": error}))).await;
    let a2a: A2a = bearer(&mock).runtime(mock.arn("a2a")).a2a();
    let error = a2a.send(&request("GetTask")).await.unwrap().result().await.unwrap_err();
    assert_eq!((error.kind(), error.code(), error.message()), (ErrorKind::Agent, Some("-32001"), "Task not found"));
    // -32003 is A2A's own here: push notifications are not supported.
    let error = json!({"code": -32003, "message": "x"});
    let mock = agent(move || AgentResponse::json(json!({"jsonrpc": "2.0", "id": "1", "error": error}))).await;
    let answer = bearer(&mock).runtime(mock.arn("a2a")).a2a().send(&request("GetTask")).await.unwrap();
    assert_eq!(answer.await.unwrap_err().kind(), ErrorKind::Agent);
}

#[tokio::test]
async fn a_local_container() {
    let mock = start(Mock::builder().local_agent("echo")).await;
    let client = Client::builder().auth(agentcore_client::Auth::None).build().unwrap();
    let a2a = client.target(Target::local(mock.url()).unwrap()).a2a();
    let answer = a2a.send(&request("message/send")).await.unwrap().into_response();
    assert!(answer.text().await.unwrap().contains("message/send"));
    let [request] = &mock.take_requests()[..] else { panic!("one request") };
    assert_eq!((&*request.path, request.header("authorization")), ("/", None));
}
