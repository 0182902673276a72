//! Shells against the mock, which runs real ones over pseudo-terminals: every way in, detached, taken over, killed, lost and found.

#![cfg(unix)]

use std::time::Duration;

use agentcore_client::{
    Client, ErrorKind, Session, ShellId,
    ws::{AuthMode, Expiry, RetryPolicy, Settings, Shell, ShellEvent, ShellExit},
};
use agentcore_mock::{Mock, MockBuilder};

use crate::support::{bearer, sigv4, start};

async fn machine(builder: MockBuilder) -> Mock {
    start(builder.allow_commands(true)).await
}

fn session(client: &Client, mock: &Mock) -> Session {
    client.runtime(mock.arn("echo")).new_session()
}

/// Reads until this was printed; what is typed is printed too, so that tests print words in two pieces, and returns everything up to it.
pub(crate) async fn read_to(shell: &mut Shell, end: &str) -> String {
    let mut text = String::new();
    while !text.contains(end) {
        match shell.try_next().await.unwrap() {
            Some(ShellEvent::Stdout(bytes)) => text.push_str(&String::from_utf8_lossy(&bytes)),
            Some(ShellEvent::Exited(exit)) => panic!("{exit:?} after {text:?}"),
            None => panic!("the end, after {text:?}"),
            Some(_) => {}
        }
    }
    text
}

pub(crate) async fn type_in(shell: &Shell, line: &str) {
    shell.input().send(line.to_owned()).await.unwrap();
}

#[tokio::test]
async fn each_way_in() {
    let mock = machine(Mock::builder()).await;
    for (client, mode) in [
        (bearer(&mock), AuthMode::Headers),
        (bearer(&mock), AuthMode::Subprotocol),
        (sigv4(&mock), AuthMode::Headers),
        (sigv4(&mock), AuthMode::Presigned(Expiry::default())),
    ] {
        let session = session(&client, &mock);
        let request = session.shell().auth_mode(mode);
        let mut shell = request.connect().await.unwrap();
        assert_eq!((shell.id(), shell.session_id()), (request.shell_id(), session.id()));
        type_in(&shell, "echo $((6 * 7)); exit 3\n").await;
        read_to(&mut shell, "42\r\n").await;
        assert!(matches!(shell.wait().await.unwrap(), ShellExit { code: Some(3), signal: None, .. }));
        assert!(shell.try_next().await.unwrap().is_none());
        assert_eq!(mock.shells(), 0);
    }
}

#[tokio::test]
async fn the_terminal_has_a_size_and_keys() {
    let mock = machine(Mock::builder()).await;
    let mut shell = session(&bearer(&mock), &mock).shell().connect().await.unwrap();
    let input = shell.input();
    input.resize(120, 40).await.unwrap();
    // Ctrl-C reaches what is in the foreground, and so waits for the word of what it is to end.
    type_in(&shell, "stty size; sh -c \"echo asl''eep; exec sleep 60\"\n").await;
    let printed = read_to(&mut shell, "asleep\r\n").await;
    assert!(printed.contains("40 120"), "{printed:?}");
    // Ctrl-C is a byte.
    input.send(&b"\x03"[..]).await.unwrap();
    type_in(&shell, "echo af''ter; kill -9 $$\n").await;
    read_to(&mut shell, "after\r\n").await;
    let exit = shell.wait().await.unwrap();
    assert_eq!((exit.code, exit.signal), (Some(137), Some(9)));
    assert_eq!(input.resize(0, 40).await.unwrap_err().kind(), ErrorKind::Input);
    assert!(input.send("x").await.is_err(), "nobody is there to type to");
}

/// The shell lives on, keeps what it prints, and is found again by the same session and id.
#[tokio::test]
async fn detached_and_attached_again() {
    let mock = machine(Mock::builder()).await;
    let session = session(&bearer(&mock), &mock);
    let id: ShellId = "my-shell".parse().unwrap();
    let mut shell = session.shell().id(&id).connect().await.unwrap();
    type_in(&shell, "x=kept; sleep 0.3; echo mean''while\n").await;
    read_to(&mut shell, "sleep").await;
    shell.detach().await.unwrap();
    // A command of the session waits until the shell has printed.
    session.run("sleep 0.6").await.unwrap();
    assert_eq!(mock.shells(), 1);
    let mut shell = session.shell().id(&id).connect().await.unwrap();
    assert!(matches!(
        shell.try_next().await.unwrap(),
        Some(ShellEvent::Attached { reconnected: true, bytes_dropped: 0, .. })
    ));
    read_to(&mut shell, "meanwhile\r\n").await;
    type_in(&shell, "echo still $x\n").await;
    read_to(&mut shell, "still kept").await;
    shell.kill().await.unwrap();
    session.run("sleep 0.2").await.unwrap();
    assert_eq!(mock.shells(), 0, "a shell that was killed does not live on");
    let mut shell = session.shell().id(&id).connect().await.unwrap();
    assert!(matches!(shell.try_next().await.unwrap(), Some(ShellEvent::Attached { reconnected: false, .. })));
}

#[tokio::test]
async fn dropping_detaches_and_the_window_ends() {
    let mock = machine(Mock::builder().shell_window(Duration::from_millis(200))).await;
    let session = session(&bearer(&mock), &mock);
    let shell = session.shell().connect().await.unwrap();
    let input = shell.input();
    assert_eq!(mock.shells(), 1);
    drop(shell);
    while mock.shells() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(input.send("x").await.is_err());
}

#[tokio::test]
async fn another_client_takes_it_over() {
    let mock = machine(Mock::builder()).await;
    let session = session(&bearer(&mock), &mock);
    let mut first = session.shell().id(&"one".parse().unwrap()).connect().await.unwrap();
    let mut second = session.shell().id(&"one".parse().unwrap()).connect().await.unwrap();
    let error = loop {
        match first.try_next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the end"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let message = "another client has taken the shell over (4000 code of its own: kicked by new connection)";
    assert_eq!(error.message(), message);
    type_in(&second, "echo mi''ne\n").await;
    read_to(&mut second, "mine\r\n").await;
}

/// The codes after which a shell is attached to again, and those after which it is not.
#[tokio::test]
async fn lost_and_found() {
    let mock = machine(Mock::builder()).await;
    for (code, again) in [
        (None, true),
        (Some(1001), true),
        (Some(1008), true),
        (Some(1009), true),
        (Some(1011), true),
        (Some(1003), false),
        (Some(1000), false),
    ] {
        let mut shell = session(&sigv4(&mock), &mock).shell().connect().await.unwrap();
        type_in(&shell, "x=kept; echo re''ady\n").await;
        read_to(&mut shell, "ready\r\n").await;
        mock.close_shells(code);
        let event = loop {
            match shell.try_next().await {
                Ok(Some(ShellEvent::Stdout(_))) => {}
                other => break other,
            }
        };
        if !again {
            assert!(!matches!(event, Ok(Some(_))), "{code:?}");
            continue;
        }
        assert!(matches!(event, Ok(Some(ShellEvent::Reconnected(_)))), "{code:?} {event:?}");
        assert!(matches!(shell.try_next().await.unwrap(), Some(ShellEvent::Attached { reconnected: true, .. })));
        type_in(&shell, "echo still $x\n").await;
        read_to(&mut shell, "still kept").await;
        shell.kill().await.unwrap();
    }
    // Who wants no other connection learns of the loss.
    let once = Settings::for_shells().reconnect(None::<RetryPolicy>);
    let mut shell = session(&bearer(&mock), &mock).shell().settings(once).connect().await.unwrap();
    mock.close_shells(None);
    while let Ok(Some(_)) = shell.try_next().await {}
    assert!(shell.wait().await.is_err());
}

/// Far more than a frame, both ways, byte for byte.
#[tokio::test]
async fn a_large_paste_and_a_slow_reader() {
    let mock = machine(Mock::builder()).await;
    let session = session(&bearer(&mock), &mock);
    let mut shell = session.shell().connect().await.unwrap();
    // Lines are shorter than what a terminal's line holds.
    let pasted: String = (0..4000).map(|line| format!("line {line:04} {}\n", "x".repeat(50))).collect();
    type_in(&shell, "stty -echo; echo g''o; cat > pasted; echo do''ne; stty echo\n").await;
    read_to(&mut shell, "go\r\n").await;
    let input = shell.input();
    input.send(pasted.clone()).await.unwrap();
    input.send(&b"\x04"[..]).await.unwrap();
    read_to(&mut shell, "done").await;
    assert_eq!(session.run("wc -c < pasted").await.unwrap().stdout.trim(), pasted.len().to_string());
    // Nobody reads for a while, and nothing is lost.
    type_in(&shell, "seq 1 200000; echo fini''shed\n").await;
    session.run("sleep 0.5").await.unwrap();
    let text = read_to(&mut shell, "finished\r\n").await;
    let numbers: Vec<u32> = text.lines().filter_map(|line| line.trim().parse().ok()).collect();
    assert_eq!(numbers.len(), 200_000);
    assert!(numbers.iter().copied().eq(1..=200_000));
}

#[tokio::test]
async fn what_is_refused() {
    let mock = machine(Mock::builder()).await;
    let client = bearer(&mock);
    let local = agentcore_client::Target::local(mock.url()).unwrap();
    assert_eq!(client.target(local).shell().connect().await.unwrap_err().kind(), ErrorKind::Input);
    let session = session(&client, &mock);
    let mut shells = Vec::new();
    for _ in 0..10 {
        shells.push(session.shell().connect().await.unwrap());
    }
    let error = session.shell().connect().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Agent, Some(424)));
    session.stop().await.unwrap();
    for mut shell in shells {
        assert!(shell.wait().await.is_ok_and(|exit| exit.signal == Some(9)), "a session takes its shells along");
    }
    let refuses = crate::support::mock().await;
    let refused = client.runtime(refuses.arn("echo")).shell();
    drop(refused);
    let error = bearer(&refuses).runtime(refuses.arn("echo")).shell().connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authorization);
}
