//! Programs that print tokens, and programs that do not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs::File, io::Read as _};

use super::*;
use crate::{
    TokenSource,
    testing::{Directory, failure, poll},
};

fn shell(script: &str) -> CommandToken {
    CommandToken::new("sh").args(["-c", script])
}

#[tokio::test]
async fn what_is_printed() {
    for (script, token, life) in [
        ("echo one", "one", None),
        ("printf '  one \\n\\n'", "one", None),
        (r#"echo '{"token":"one"}'"#, "one", None),
        (r#"echo '{"token":"one","expires_in":60}'"#, "one", Some(60.0)),
        (r#"echo ' {"access_token":"one","expires_in":"1.5","token_type":"Bearer"} '"#, "one", Some(1.5)),
        (r#"echo '{"access_token":"one","expires_in":-1}'"#, "one", Some(0.0)),
        ("cat; echo one", "one", None),
    ] {
        let issued = shell(script).issue().await.unwrap();
        let life = life.map(Duration::from_secs_f64);
        assert_eq!((issued.token.expose(), issued.expires_in), (token, life), "{script}");
    }
    // Arguments reach the program as they are.
    let issued = shell("echo \"$2\"").args(["name", "$HOME", "two-'\"`"]).issue().await;
    assert!(issued.is_err());
    let issued = shell("echo \"$2\"").args(["name", "x", "two"]).issue().await.unwrap();
    assert_eq!(issued.token.expose(), "two");
}

#[tokio::test]
async fn what_goes_wrong() {
    let missing = CommandToken::new("/nowhere/agentcore-token");
    for (command, kind, message) in [
        (shell("echo hush; exit 3"), ErrorKind::Authentication, r#""sh" failed: exit status: 3"#),
        (shell("echo hush; kill -9 $$"), ErrorKind::Authentication, r#""sh" failed: signal: 9 (SIGKILL)"#),
        (shell("true"), ErrorKind::Authentication, r#""sh" printed nothing"#),
        (shell("echo hush hush"), ErrorKind::Authentication, r#""sh" printed what is no token"#),
        (shell(r#"echo '{"hush":1}'"#), ErrorKind::Authentication, r#""sh" printed JSON without a token"#),
        (shell(r#"echo '{"token":1}'"#), ErrorKind::Authentication, r#""sh" printed JSON without a token"#),
        (shell(r#"echo '{"token":"hush"'"#), ErrorKind::Authentication, r#""sh" printed JSON that is not whole"#),
        (shell(r"printf '\377'"), ErrorKind::Authentication, r#""sh" printed what is no text"#),
        (CommandToken::new("yes"), ErrorKind::Authentication, r#""yes" printed too much and was ended"#),
        (missing, ErrorKind::Authentication, r#""/nowhere/agentcore-token" cannot be run"#),
    ] {
        let error = command.issue().await.unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (kind, format!("the token command {message}")));
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_program_that_hangs() {
    let outcome = CommandToken::new("tail").args(["-f", "/dev/null"]).issue().await;
    let message = r#"the token command "tail" took longer than 60 s and was ended"#;
    assert_eq!(failure(outcome), (ErrorKind::Timeout, message.to_owned()));
}

/// The program holds a named pipe open for as long as it runs.
#[tokio::test]
async fn a_cancelled_program_is_ended() {
    let directory = Directory::new();
    let path = directory.join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let command = shell("exec tail -f /dev/null >\"$1\"").args(["name".as_ref(), path.as_os_str()]);
    let mut running = command.issue();
    assert!(poll(&mut running).is_pending());
    // Opening waits until the program has opened its end.
    let mut pipe = File::open(&path).unwrap();
    drop(running);
    // Reading ends when nobody has the other end open any more.
    assert_eq!(pipe.read_to_end(&mut Vec::new()).unwrap(), 0);
}

#[tokio::test]
async fn a_token_is_kept_while_it_lives() {
    let source = shell(r#"echo "{\"token\":\"of-$$\",\"expires_in\":3600}""#).cached();
    let first = source.token().await.unwrap();
    assert_eq!(source.token().await.unwrap(), first);
    assert_eq!(source.statistics().fetches, 1);
    let secretive = CommandToken::new("program").args(["hush"]);
    assert_eq!(format!("{secretive:?}"), r#"CommandToken { program: "program", timeout: 60s, .. }"#);
}
