//! Shells of a server that is not ours, framed by the official SDK. Without the variable that names the server these tests do
//! nothing: `cargo xtask interop` sets it.

#![cfg(unix)]

use std::time::Duration;

use agentcore_client::{
    Client, Endpoint, ErrorKind, SessionId, ShellId, ShellRequest,
    ws::{Settings, Shell, ShellEvent, ShellExit},
};

use tokio::time::timeout;

use crate::shell::{read_to, type_in};

/// The server's shells of one session.
struct Peer {
    client: Client,
    session: SessionId,
}

impl Peer {
    fn find() -> Option<Self> {
        let url = std::env::var("AGENTCORE_TEST_SHELL_SERVER").ok()?;
        // The server asks for no credential.
        let endpoint: Endpoint = url.parse().unwrap();
        let client = Client::builder().bearer_token("opaque").endpoints(endpoint).build().unwrap();
        Some(Self { client, session: SessionId::random() })
    }

    fn shell(&self, id: &str) -> ShellRequest {
        let runtime = self.client.runtime(ARN.parse().unwrap());
        runtime.shell().session(&self.session).id(&id.parse::<ShellId>().unwrap())
    }

    async fn open(&self, id: &str) -> Shell {
        self.shell(id).connect().await.unwrap()
    }
}

/// Runs a test where there is a server, for no longer than all of them need together.
async fn with_peer(test: impl AsyncFnOnce(Peer)) {
    if let Some(peer) = Peer::find() {
        timeout(PATIENCE, test(peer)).await.unwrap();
    }
}

/// Both ids are the answer's, and a shell ends as its process does.
#[tokio::test]
async fn exit_codes_and_signals() {
    with_peer(async |peer| {
        for (line, code, signal) in [("exit\n", 0, None), ("exit 7\n", 7, None), ("kill -9 $$\n", 137, Some(9))] {
            let mut shell = peer.open("one").await;
            assert_eq!((shell.session_id(), shell.id().as_str()), (&peer.session, "one"));
            assert!(matches!(shell.try_next().await.unwrap(), Some(ShellEvent::Attached { reconnected: false, .. })));
            type_in(&shell, "echo $((6 * 7))\n").await;
            read_to(&mut shell, "42\r\n").await;
            type_in(&shell, line).await;
            let exit = shell.wait().await.unwrap();
            assert!(matches!(exit, ShellExit { code: Some(found), .. } if found == code), "{line:?}: {exit:?}");
            assert_eq!(exit.signal, signal, "{line:?}");
            assert!(shell.try_next().await.unwrap().is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn sizes_of_the_terminal() {
    with_peer(async |peer| {
        let mut shell = peer.open("one").await;
        for (width, height) in [(101, 37), (1000, 1)] {
            shell.input().resize(width, height).await.unwrap();
            type_in(&shell, "stty size\n").await;
            read_to(&mut shell, &format!("{height} {width}\r\n")).await;
        }
        shell.kill().await.unwrap();
    })
    .await;
}

/// Of the same ids there is another shell afterwards.
#[tokio::test]
async fn killed_for_good() {
    with_peer(async |peer| {
        let mut shell = peer.open("one").await;
        type_in(&shell, "x=kept; echo rea''dy\n").await;
        read_to(&mut shell, "ready\r\n").await;
        shell.kill().await.unwrap();
        let mut shell = peer.open("one").await;
        type_in(&shell, "echo other:$x:\n").await;
        read_to(&mut shell, "other::\r\n").await;
        shell.kill().await.unwrap();
    })
    .await;
}

/// What was seen before comes again too.
#[tokio::test]
async fn attached_again_with_a_replay() {
    with_peer(async |peer| {
        let gate = Gate::new();
        let mut shell = peer.open("one").await;
        type_in(&shell, &gate.lets_in("x=kept; echo be''fore", "echo mean''while")).await;
        read_to(&mut shell, "before\r\n").await;
        shell.detach().await.unwrap();
        gate.open(&peer).await;
        let mut shell = peer.open("one").await;
        assert!(matches!(
            shell.try_next().await.unwrap(),
            Some(ShellEvent::Attached { reconnected: true, bytes_dropped: 0, .. })
        ));
        assert!(read_to(&mut shell, "meanwhile\r\n").await.contains("before\r\n"));
        type_in(&shell, "echo still $x; exit 3\n").await;
        read_to(&mut shell, "still kept\r\n").await;
        assert_eq!(shell.wait().await.unwrap().code, Some(3));
    })
    .await;
}

#[tokio::test]
async fn a_replay_of_256_kilobytes() {
    with_peer(async |peer| {
        let gate = Gate::new();
        let mut shell = peer.open("one").await;
        type_in(&shell, &gate.lets_in("stty -echo; PS1=; echo be''fore", "seq 100000 159999; echo mean''while")).await;
        let seen = read_to(&mut shell, "before\r\n").await;
        shell.detach().await.unwrap();
        gate.open(&peer).await;
        let mut shell = peer.open("one").await;
        let attached = shell.try_next().await.unwrap();
        let Some(ShellEvent::Attached { reconnected: true, bytes_dropped, .. }) = attached else {
            panic!("{attached:?}")
        };
        let replayed = read_to(&mut shell, "meanwhile\r\n").await;
        // Numbers of eight bytes, behind the empty line that opened the gate.
        let numbers: String = (100_000..160_000).map(|number| format!("{number}\r\n")).collect();
        let printed = format!("{seen}\r\n{numbers}meanwhile\r\n");
        assert_eq!((replayed.len(), bytes_dropped), (256 * 1024, printed.len() as u64 - 256 * 1024));
        assert!(printed.ends_with(&replayed));
        shell.kill().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn taken_over() {
    with_peer(async |peer| {
        let mut first = peer.open("one").await;
        type_in(&first, "x=kept; echo rea''dy\n").await;
        read_to(&mut first, "ready\r\n").await;
        let mut second = peer.open("one").await;
        let error = loop {
            match first.try_next().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the end"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::Conflict);
        type_in(&second, "echo still $x\n").await;
        read_to(&mut second, "still kept\r\n").await;
        second.kill().await.unwrap();
    })
    .await;
}

/// Far more than a frame and than a terminal holds. The sum is that of POSIX `cksum`, taken of the same lines made by Python.
#[tokio::test]
async fn a_paste_of_300_kilobytes() {
    with_peer(async |peer| {
        let mut shell = peer.open("one").await;
        type_in(&shell, "stty -echo; echo rea''dy; cksum\n").await;
        read_to(&mut shell, "ready\r\n").await;
        type_in(&shell, &pasted()).await;
        shell.input().send(&b"\x04"[..]).await.unwrap();
        read_to(&mut shell, PASTED_SUM).await;
        shell.kill().await.unwrap();
    })
    .await;
}

/// The server takes 32 KiB a frame: it closes by 1009, and what is typed afterwards is in smaller frames.
#[tokio::test]
async fn frames_that_are_too_big() {
    with_peer(async |peer| {
        let large = Settings::for_shells().max_frame_bytes(64 * 1024);
        let mut shell = peer.shell("one").settings(large).connect().await.unwrap();
        type_in(&shell, "x=kept; stty -echo; echo rea''dy; cksum\n").await;
        read_to(&mut shell, "ready\r\n").await;
        type_in(&shell, &"x".repeat(32 * 1024)).await;
        let close = loop {
            match shell.try_next().await.unwrap() {
                Some(ShellEvent::Reconnected(reconnected)) => break reconnected.close.unwrap(),
                Some(_) => {}
                None => panic!("the end"),
            }
        };
        assert_eq!(close.code, 1009);
        assert!(matches!(shell.try_next().await.unwrap(), Some(ShellEvent::Attached { reconnected: true, .. })));
        // Nothing of the frame was typed.
        type_in(&shell, &pasted()).await;
        shell.input().send(&b"\x04"[..]).await.unwrap();
        read_to(&mut shell, PASTED_SUM).await;
        type_in(&shell, "echo still $x\n").await;
        read_to(&mut shell, "still kept\r\n").await;
        shell.kill().await.unwrap();
    })
    .await;
}

/// The server counts those of its own that come back.
#[tokio::test]
async fn heartbeats_are_echoed() {
    with_peer(async |peer| {
        let mut shell = peer.open("beats").await;
        let said = loop {
            match shell.try_next().await.unwrap() {
                Some(ShellEvent::Stderr(said)) => break said,
                Some(_) => {}
                None => panic!("the end"),
            }
        };
        assert_eq!(said, "3 heartbeats came back\n");
        type_in(&shell, "exit\n").await;
        assert_eq!(shell.wait().await.unwrap().code, Some(0));
    })
    .await;
}

#[tokio::test]
async fn nothing_is_confirmed() {
    with_peer(async |peer| {
        let mut shell = peer.open("silent").await;
        type_in(&shell, "exit 7\n").await;
        while let Some(event) = shell.try_next().await.unwrap() {
            match event {
                ShellEvent::Stdout(_) => {}
                ShellEvent::Exited(exit) => assert_eq!(exit.code, Some(7)),
                other => panic!("{other:?}"),
            }
        }
    })
    .await;
}

/// Lets a shell go on once nobody is attached to it, by a pipe with a name that its machine's shells share.
struct Gate(String);

impl Gate {
    fn new() -> Self {
        Self(format!("./agentcore-{}", SessionId::random()))
    }

    /// Returns a line that does the first at once, and the second when the gate is opened.
    fn lets_in(&self, first: &str, second: &str) -> String {
        let pipe = &self.0;
        format!("mkfifo {pipe}; {first}; cat {pipe}; {second}; echo > {pipe}\n")
    }

    /// Opens the gate from another shell, and waits until the second is done.
    async fn open(&self, peer: &Peer) {
        let pipe = &self.0;
        let mut shell = peer.open("other").await;
        type_in(&shell, &format!("echo > {pipe}; cat {pipe}; rm {pipe}; echo do''ne\n")).await;
        read_to(&mut shell, "done\r\n").await;
        shell.kill().await.unwrap();
    }
}

fn pasted() -> String {
    (0..5000).map(|line| format!("line {line:04} {}\n", "x".repeat(50))).collect()
}

const PATIENCE: Duration = Duration::from_secs(30);
const PASTED_SUM: &str = "145369400 305000\r\n";
const ARN: &str = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my_agent-AbC1234567";
