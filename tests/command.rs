//! Commands, stops and cards against the mock, whose sessions have real processes in directories of their own.

use std::time::Duration;

use agentcore_client::{CommandEvent, CommandOutput, ErrorKind, ExitStatus, RetryPolicy, Session, SessionId};
use agentcore_mock::{AgentResponse, Mock};
use serde_json::json;

use crate::support::{bearer, mock, sigv4, start};

async fn machine() -> Mock {
    start(Mock::builder().allow_commands(true)).await
}

fn session(mock: &Mock, agent: &str) -> Session {
    bearer(mock).runtime(mock.arn(agent)).new_session()
}

#[tokio::test]
async fn a_command_by_token_and_by_signature() {
    let mock = machine().await;
    for client in [bearer(&mock), sigv4(&mock)] {
        let session = client.runtime(mock.arn("echo")).new_session();
        let output = session.run("echo out; echo err >&2; exit 3").await.unwrap();
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("out\n", "err\n"));
        assert_eq!((output.exit.code, &output.exit.status), (3, &ExitStatus::Completed));
        assert_eq!(output.session_id, *session.id());
        assert!(output.request_id.is_some());
    }
}

/// A session's commands share a directory, another session's do not, and the service's variables are not this machine's.
#[tokio::test]
async fn a_session_has_a_machine_of_its_own() {
    let mock = machine().await;
    // An id of the service's form leads to the same machines.
    let (one, other) = (session(&mock, "echo-AbCdE12345"), session(&mock, "echo"));
    one.run("echo kept > file").await.unwrap();
    assert_eq!(one.run("cat file").await.unwrap().stdout, "kept\n");
    let absent = other.run("cat file").await.unwrap();
    assert_eq!((absent.exit.code, absent.stdout.as_str()), (1, ""));
    assert_eq!(one.run("env | cut -d= -f1 | grep -c CARGO").await.unwrap().stdout, "0\n");
    let directory = one.run("pwd").await.unwrap().stdout;
    one.stop().await.unwrap();
    assert_eq!(one.run("cat file").await.unwrap().exit.code, 1, "a session that was stopped begins anew");
    assert_ne!(one.run("pwd").await.unwrap().stdout, directory);
    // What has ended, or never began, is stopped likewise.
    for id in [one.id().clone(), SessionId::random()] {
        bearer(&mock).runtime(mock.arn("echo")).session(id).stop().await.unwrap();
    }
}

#[tokio::test]
async fn output_comes_as_it_is_written() {
    let mock = machine().await;
    let session = session(&mock, "echo");
    session.run("mkfifo pipe").await.unwrap();
    let mut output = session.run("echo first; read line < pipe; echo \"got $line\"").stream().await.unwrap();
    assert_eq!(output.try_next().await.unwrap(), Some(CommandEvent::Started));
    assert_eq!(output.try_next().await.unwrap(), Some(CommandEvent::Stdout("first\n".to_owned())));
    session.run("echo hello > pipe").await.unwrap();
    assert_eq!(output.try_next().await.unwrap(), Some(CommandEvent::Stdout("got hello\n".to_owned())));
    assert!(matches!(output.try_next().await.unwrap(), Some(CommandEvent::Exited(exit)) if exit.is_success()));
    assert_eq!(output.try_next().await.unwrap(), None);
}

#[tokio::test]
async fn characters_that_are_cut_and_bytes_that_are_none() {
    let mock = machine().await;
    let session = session(&mock, "echo");
    let long = session.run("i=0; while [ $i -lt 20000 ]; do printf 'é世🌍'; i=$((i+1)); done").await.unwrap();
    assert_eq!(long.stdout, "é世🌍".repeat(20_000));
    assert_eq!(session.run(r"printf 'a\377b'").await.unwrap().stdout, "a\u{fffd}b");
}

#[tokio::test]
async fn what_ends_a_command() {
    let mock = machine().await;
    let session = session(&mock, "echo");
    let late = session.run("echo begun; sleep 60").timeout(Duration::from_secs(1)).await.unwrap();
    assert_eq!((late.stdout.as_str(), late.exit.is_timeout()), ("begun\n", true));
    assert!(!late.exit.is_platform_failure() && !late.exit.is_success());
    let mut output = session.run("echo begun; sleep 60").stream().await.unwrap();
    while !matches!(output.try_next().await.unwrap(), Some(CommandEvent::Stdout(_))) {}
    session.stop().await.unwrap();
    assert!(matches!(output.try_next().await.unwrap(), Some(CommandEvent::Exited(exit)) if exit.is_platform_failure()));
    // A client that goes ends nothing.
    let output = session.run("sleep 0.2; echo done > file").stream().await.unwrap();
    drop(output);
    let found = session.run("while [ ! -s file ]; do sleep 0.05; done; cat file").await.unwrap();
    assert_eq!(found.stdout, "done\n");
}

#[tokio::test]
async fn bad_input_sends_nothing() {
    let mock = machine().await;
    let session = session(&mock, "echo");
    for run in [
        session.run(""),
        session.run("x".repeat(65_537)),
        session.run("x").timeout(Duration::from_millis(1500)),
        session.run("x").timeout(Duration::ZERO),
        session.run("x").timeout(Duration::from_secs(3601)),
    ] {
        assert_eq!(run.await.unwrap_err().kind(), ErrorKind::Input);
    }
    assert!(mock.requests().is_empty());
}

/// A command is never sent again once it may have run, and what it said before a failure is delivered.
#[tokio::test]
async fn faults() {
    let mock = machine().await;
    for (agent, kind, code, stdout, requests) in [
        ("reset-midstream", ErrorKind::BrokenOff, None, "Once\n", 1),
        ("fail-midstream", ErrorKind::Agent, Some("RuntimeClientError"), "Once\n", 1),
        ("empty", ErrorKind::BrokenOff, None, "", 1),
    ] {
        let before = mock.requests().len();
        let error = session(&mock, agent).run("echo x").await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, code), "{agent}");
        assert!(error.may_have_run());
        assert_eq!(error.partial::<CommandOutput>().unwrap().stdout, stdout);
        assert_eq!(mock.requests().len() - before, requests, "{agent}");
    }
    for (agent, fine, requests) in [
        ("throttle-1", true, 2),
        ("conflict-1", true, 2),
        // The second request asks who issues tokens.
        ("unauthorized-5", false, 2),
        ("error-500", false, 1),
        ("reset", false, 1),
        ("nobody", false, 1),
    ] {
        let before = mock.requests().len();
        assert_eq!(session(&mock, agent).run("echo x").await.is_ok(), fine, "{agent}");
        assert_eq!(mock.requests().len() - before, requests, "{agent}");
    }
}

#[tokio::test]
async fn a_mock_runs_nothing_unless_it_may() {
    let refuses = mock().await;
    let error = session(&refuses, "echo").run("echo x").retry(RetryPolicy::off()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authorization);
    let scripted = start(Mock::builder().script_commands(|command| {
        let said = format!("would run {command}");
        AgentResponse::command([
            json!({"contentDelta": {"stdout": said}}),
            json!({"contentStop": {"exitCode": -1, "status": "COMPLETED"}}),
        ])
    }));
    let scripted = scripted.await;
    let output = session(&scripted, "echo").run("rm -rf /").await.unwrap();
    assert_eq!((output.stdout.as_str(), output.exit.is_platform_failure()), ("would run rm -rf /", true));
}

#[tokio::test]
async fn cards() {
    let mock = mock().await;
    for client in [bearer(&mock), sigv4(&mock)] {
        let agent = client.runtime(mock.arn("echo"));
        assert_eq!(agent.card().await.unwrap()["name"], "echo");
        let session = agent.new_session();
        assert_eq!(session.card().await.unwrap()["protocolVersion"], "0.3.0");
        let requests = mock.take_requests();
        let ids: Vec<_> = requests.iter().map(|it| it.header("x-amzn-bedrock-agentcore-runtime-session-id")).collect();
        assert_eq!(ids, [None, Some(session.id().as_str())]);
    }
    let local = bearer(&mock).target(agentcore_client::Target::local(mock.url()).unwrap());
    assert_eq!(local.card().await.unwrap()["name"], "echo");
    let error = bearer(&mock).runtime(mock.arn("nobody")).card().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
