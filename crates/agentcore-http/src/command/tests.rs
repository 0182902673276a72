//! Commands against a scripted network, in frames of another implementation.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use agentcore_auth::{Auth, StaticToken};
use agentcore_transport::testing::{Piece, Script, Step, answer, body, refusal};
use serde_json::{Value, json};

use super::*;
use crate::{HttpClient, HttpClientBuilder};

const VECTORS: &str = include_str!("../../../../tests/vectors/event_stream_vectors.json");
const SESSION: &str = "session-0123456789-0123456789-0123456789";

fn frame(name: &str) -> &'static [u8] {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let digits = vectors["frames"][name].as_str().unwrap();
    let bytes: Vec<u8> =
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
    bytes.leak()
}

fn frames(names: &[&str]) -> Vec<Piece> {
    names.iter().map(|name| Piece::Bytes(frame(name))).collect()
}

fn target() -> Target {
    Target::new("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x".parse().unwrap())
}

fn client() -> HttpClientBuilder {
    HttpClient::builder(Auth::bearer(StaticToken::parse("fixed").unwrap()))
}

async fn run(steps: Vec<Step>, command: &Command) -> (Result<CommandStream, Error>, Script) {
    let script = Script::of(steps);
    let stream = client().over(script.network(), || 0.0).run(&target(), command).await;
    (stream, script)
}

fn ls() -> Command {
    Command::new("ls -l").unwrap().session(&SESSION.parse().unwrap())
}

/// Returns the events, and the error after them.
async fn events(pieces: &[Piece]) -> (Vec<CommandEvent>, Option<Error>) {
    let (stream, _) = run(vec![body(pieces)], &ls()).await;
    let (mut stream, mut events) = (stream.unwrap(), Vec::new());
    loop {
        match stream.try_next().await {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return (events, None),
            Err(error) => {
                assert!(stream.try_next().await.unwrap().is_none(), "nothing comes after an error");
                return (events, Some(error));
            }
        }
    }
}

fn exited(code: i32, status: ExitStatus) -> CommandEvent {
    CommandEvent::Exited(Exit { code, status })
}

#[tokio::test]
async fn the_request() {
    let command = ls().timeout(Duration::from_secs(7)).unwrap();
    let (stream, script) = run(vec![body(&frames(&["exit_0"]))], &command).await;
    stream.unwrap();
    let request = &script.seen()[0];
    assert_eq!(request.method(), "POST");
    let arn = "arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Fx";
    let url = format!("https://bedrock-agentcore.us-east-1.amazonaws.com/runtimes/{arn}/commands");
    assert_eq!(request.uri().to_string(), url);
    assert_eq!(request.headers()["accept"], "application/vnd.amazon.eventstream");
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(request.headers()["x-amzn-bedrock-agentcore-runtime-session-id"], SESSION);
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    assert_eq!(body, json!({"command": "ls -l", "timeout": 7}));
}

#[tokio::test]
async fn what_is_refused_before_anything_is_sent() {
    for (command, expected) in [
        (String::new(), Some("the command is empty")),
        ("x".repeat(65_536), None),
        ("é".repeat(65_536), None),
        ("x".repeat(65_537), Some("the command has more than 65536 characters")),
    ] {
        let error = Command::new(command).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), expected);
    }
    for (timeout, fine) in
        [(0, false), (1000, true), (1500, false), (3_600_000, true), (3_601_000, false), (999, false)]
    {
        assert_eq!(ls().timeout(Duration::from_millis(timeout)).is_ok(), fine, "{timeout} ms");
    }
    let script = Script::of(vec![]);
    let local = Target::local("http://127.0.0.1:8080").unwrap();
    let error = client().over(script.network(), || 0.0).run(&local, &ls()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
}

#[test]
fn debug_is_blind() {
    let command = Command::new("curl -H 'Authorization: hush'").unwrap();
    assert!(!format!("{command:?}").contains("hush"));
}

#[tokio::test]
async fn output_as_it_comes_and_whole() {
    let all = ["started", "stdout", "both", "exit_0"];
    let expected = [
        CommandEvent::Started,
        CommandEvent::Stdout("héllo\n".to_owned()),
        CommandEvent::Stdout("out".to_owned()),
        CommandEvent::Stderr("err".to_owned()),
        exited(0, ExitStatus::Completed),
    ];
    let (found, error) = events(&frames(&all)).await;
    assert!(error.is_none());
    assert_eq!(found, expected);
    // One byte a piece.
    let bytes: Vec<Piece> = all.iter().flat_map(|name| frame(name).chunks(1).map(Piece::Bytes)).collect();
    assert_eq!(events(&bytes).await.0, expected);
    let (stream, _) = run(vec![body(&frames(&all))], &ls()).await;
    let output = stream.unwrap().collect().await.unwrap();
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("héllo\nout", "err"));
    assert!(output.exit.is_success());
    assert_eq!(output.session_id.as_str(), SESSION);
}

/// What the stream says before its end, and which error ends it.
#[tokio::test]
async fn ends() {
    let stdout = CommandEvent::Stdout("héllo\n".to_owned());
    let cut = Piece::Bytes(&frame("stdout")[..40]);
    let mut damaged = frame("stdout").to_vec();
    damaged[60] ^= 1;
    let damaged = Piece::Bytes(damaged.leak());
    let [out, lost] = [Piece::Bytes(frame("stdout")), Piece::Break];
    let exit = Piece::Bytes(frame("exit_0"));
    for (pieces, events_before, kind, message, code) in [
        (vec![out], 1, ErrorKind::BrokenOff, "the command's output ended without its exit code", None),
        (vec![out, cut], 1, ErrorKind::BrokenOff, "the stream ended within an event", None),
        (vec![out, lost], 1, ErrorKind::BrokenOff, "the answer broke off midway", None),
        (vec![out, damaged, exit], 1, ErrorKind::BrokenOff, "an event of the stream is damaged", None),
        (
            vec![out, Piece::Bytes(frame("exception")), exit],
            1,
            ErrorKind::Refused,
            "no such directory",
            Some("ValidationException"),
        ),
        (vec![out, Piece::Bytes(frame("error"))], 1, ErrorKind::Service, "oh", Some("InternalError")),
        (vec![], 0, ErrorKind::BrokenOff, "the command's output ended without its exit code", None),
        (vec![Piece::Data("<html>")], 0, ErrorKind::BrokenOff, "the stream ended within an event", None),
    ] {
        let (found, error) = events(&pieces).await;
        assert_eq!(found, vec![stdout.clone(); events_before], "{message}");
        let error = error.unwrap();
        assert_eq!((error.kind(), error.message(), error.code()), (kind, message, code));
        assert!(error.may_have_run(), "{message}");
        assert_eq!(error.status(), Some(200));
    }
    // After the exit code nothing is waited for.
    for after in [Piece::Break, Piece::Hang] {
        let (found, error) = events(&[exit, after]).await;
        assert_eq!(found, [exited(0, ExitStatus::Completed)]);
        assert!(error.is_none());
    }
    let empty = Piece::Bytes(frame("empty"));
    assert_eq!(events(&[empty, exit]).await.0, [exited(0, ExitStatus::Completed)], "what is not known is passed over");
}

#[tokio::test]
async fn what_came_before_a_failure_is_kept() {
    let (stream, _) = run(vec![body(&frames(&["stdout", "both"]))], &ls()).await;
    let error = stream.unwrap().collect().await.unwrap_err();
    let output: &CommandOutput = error.partial().unwrap();
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("héllo\nout", "err"));
    let script = Script::of(vec![body(&frames(&["stdout", "both", "exit_0"]))]);
    let small = client().max_answer_bytes(8).over(script.network(), || 0.0);
    let error = small.run(&target(), &ls()).await.unwrap().collect().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::TooLarge, "the command's output is longer than 8 bytes"));
    assert_eq!(error.partial::<CommandOutput>().unwrap().stdout, "héllo\n");
}

#[test]
fn how_commands_end() {
    for (json, code, status, words) in [
        (r#"{"exitCode":0,"status":"COMPLETED"}"#, 0, ExitStatus::Completed, "success"),
        (r#"{"exitCode":0}"#, 0, ExitStatus::Completed, "success"),
        (r#"{"exitCode":7,"status":"COMPLETED"}"#, 7, ExitStatus::Completed, ""),
        (r#"{"exitCode":-1,"status":"COMPLETED"}"#, -1, ExitStatus::Completed, "platform"),
        (r#"{"exitCode":-1,"status":"TIMED_OUT"}"#, -1, ExitStatus::TimedOut, "timeout"),
        (r#"{"exitCode":124,"status":"TIMED_OUT"}"#, 124, ExitStatus::TimedOut, "timeout"),
        (r#"{"exitCode":0,"status":"NEW"}"#, 0, ExitStatus::Other("NEW".to_owned()), ""),
    ] {
        let exit = Exit::from(serde_json::from_str::<Stop>(json).unwrap());
        assert_eq!((exit.code, &exit.status), (code, &status));
        let found = match (exit.is_success(), exit.is_timeout(), exit.is_platform_failure()) {
            (true, false, false) => "success",
            (false, true, false) => "timeout",
            (false, false, true) => "platform",
            (false, false, false) => "",
            _ => "several",
        };
        assert_eq!(found, words, "{json}");
    }
}

/// Sent again only where it cannot have run.
#[tokio::test(start_paused = true)]
async fn a_command_runs_once() {
    let lost = || Step::SendError { sent: true, lasting: false };
    let ok = || body(&frames(&["exit_0"]));
    for (name, steps, attempts, kind) in [
        ("throttled", vec![refusal(429, "ThrottlingException"), ok()], 2, None),
        ("busy", vec![refusal(409, "RetryableConflictException"), ok()], 2, None),
        ("never sent", vec![Step::SendError { sent: false, lasting: false }, ok()], 2, None),
        ("lost", vec![lost()], 1, Some(ErrorKind::Unavailable)),
        ("failed", vec![refusal(500, "InternalServerException")], 1, Some(ErrorKind::Service)),
        ("a page", vec![answer(502, &[("content-type", "text/html")], "<html>")], 1, Some(ErrorKind::Service)),
    ] {
        let (stream, script) = run(steps, &ls()).await;
        assert_eq!(stream.err().map(|error| error.kind()), kind, "{name}");
        assert_eq!((script.seen().len(), script.left()), (attempts, 0), "{name}");
    }
}

/// A silent command is waited for as long as it may take, and a minute more.
#[tokio::test]
async fn timeouts_follow_the_commands() {
    let defaults = Timeouts::default();
    let minutes = |minutes: u64| Some(Duration::from_secs(minutes * 60));
    for (timeout, client, expected) in [
        (300, defaults.clone(), (minutes(16), minutes(16), minutes(61))),
        (3600, defaults.clone(), (minutes(61), minutes(61), minutes(61))),
        (3600, Timeouts::default().total(minutes(5)), (minutes(61), minutes(61), minutes(5))),
        (60, Timeouts::off(), (None, None, None)),
    ] {
        let timeouts = ls().timeout(Duration::from_secs(timeout)).unwrap().effective_timeouts(&client);
        assert_eq!((timeouts.first_byte, timeouts.idle, timeouts.total), expected);
    }
    let own = Timeouts::default().total(minutes(1));
    assert_eq!(ls().timeouts(own.clone()).effective_timeouts(&defaults), own, "the caller's own stay as they are");
}
