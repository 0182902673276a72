//! Signals, closed pipes and logs.

use std::{
    io::{BufRead, BufReader, Read},
    process::Child,
    sync::mpsc,
};

use agentcore_mock::{AgentResponse, Mock};

#[cfg(unix)]
use crate::world::signal;
use crate::world::{World, acore, ended, run};

#[cfg(unix)]
const INTERRUPTED: &str = "note: interrupted; the agent may go on working, and its session is busy until then\n";

#[cfg(unix)]
#[test]
fn a_signal_ends_a_stream_at_once() {
    let world = World::new();
    for (name, exit) in [("-INT", 130), ("-TERM", 143)] {
        let mut child = world.invoke("stall", ["hi"]).spawn().unwrap();
        let mut first = [0; 4];
        child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        assert_eq!(&first, b"Once");
        signal(name, &child);
        let ended = ended(child);
        assert_eq!((ended.exit, &*ended.stdout, &*ended.stderr), (Some(exit), "", INTERRUPTED));
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_wait_for_the_answer() {
    let (invoked, waits) = mpsc::channel();
    let world = World::with(Mock::builder().agent("hangs", move |_| {
        let invoked = invoked.clone();
        async move {
            invoked.send(()).unwrap();
            std::future::pending::<AgentResponse>().await
        }
    }));
    let child = world.invoke("hangs", ["hi"]).spawn().unwrap();
    waits.recv().unwrap();
    signal("-INT", &child);
    let ended = ended(child);
    assert_eq!((ended.exit, &*ended.stdout, &*ended.stderr), (Some(130), "", INTERRUPTED));
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_program_that_is_stuck_writing() {
    let world = World::new();
    // More than any pipe holds, and nobody who reads.
    let mut child = world.invoke("huge-4000000", ["hi"]).spawn().unwrap();
    let mut first = [0; 1];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    signal("-INT", &child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_reader_that_goes_is_no_error() {
    for args in [
        vec!["--mock", "invoke", "hi"],
        vec!["--mock", "invoke", "--output=events", "hi"],
        vec!["--mock", "invoke", "--output=raw", "hi"],
        vec!["--mock", "--arn=huge-4000000", "invoke", "--output=json", "hi"],
        vec!["completions", "bash"],
    ] {
        let mut child = acore(args.iter().copied()).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0; 4]).unwrap();
        drop(stdout);
        let ended = ended(child);
        assert_eq!((ended.exit, ended.stderr.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn text_is_flushed_as_it_arrives() {
    let (proceed, proceeds) = tokio::sync::watch::channel(false);
    let world = World::with(Mock::builder().agent("two-parts", move |_| {
        let proceeds = proceeds.clone();
        async move {
            let pieces = futures_util::stream::unfold(0, move |part| {
                let mut proceeds = proceeds.clone();
                async move {
                    if part == 1 {
                        proceeds.wait_for(|proceed| *proceed).await.unwrap();
                    }
                    let bytes = ["data: \"one \"\n\n", "data: \"two\"\n\n"].get(part)?;
                    Some((Ok::<_, std::convert::Infallible>((*bytes).into()), part + 1))
                }
            });
            AgentResponse::stream("text/event-stream", pieces)
        }
    }));
    for (format, first) in [("text", "one "), ("events", "{\"event\":"), ("raw", "data: \"one \"")] {
        proceed.send_replace(false);
        let mut child = world.invoke("two-parts", ["--output", format, "hi"]).spawn().unwrap();
        let mut read = vec![0; first.len()];
        child.stdout.as_mut().unwrap().read_exact(&mut read).unwrap();
        // The second part is sent only now.
        proceed.send_replace(true);
        let ended = ended(child);
        assert_eq!((read, ended.exit), (first.as_bytes().to_vec(), Some(0)), "{format}");
        assert!(ended.stdout.contains("two"), "{format}: {}", ended.stdout);
    }
}

#[test]
fn logs_hold_no_secret() {
    let world = World::new();
    let token = world.mock.token();
    let keys = world.mock.credentials();
    let session_token = keys.session_token().unwrap();
    for (flags, log, says) in [
        (vec!["--bearer-token", &*token], "trace", "attempt=1"),
        (vec!["--sigv4"], "trace,aws_sigv4=trace,h2=trace,hyper=trace", "attempt=1"),
        (vec!["--sigv4", "-vv"], "", "attempt=1"),
        (vec!["--bearer-token", &token, "-v"], "", "attempt=1"),
        (vec!["--bearer-token", &token], "off", ""),
    ] {
        let args = ["invoke", "hi", "--header", "X-Private=hush"].into_iter().chain(flags.iter().copied());
        let ended = run(world.acore("echo", args).envs(world.keys()).env("RUST_LOG", log));
        assert_eq!(ended.exit, Some(0), "{}", ended.stderr);
        assert!(ended.stderr.contains(says), "{flags:?}: {}", ended.stderr);
        let signature = token.rsplit('.').next().unwrap();
        for secret in [&*token, signature, keys.secret_access_key(), session_token, "hush", "Bearer ", "Signature="] {
            assert!(!ended.stderr.contains(secret), "{flags:?} {log}: {}", ended.stderr);
        }
    }
}

#[test]
fn a_line_an_attempt() {
    let world = World::new();
    let ended = run(&mut world.invoke("throttle-1", ["-v", "hi"]));
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert_eq!((ended.exit, lines.len()), (Some(0), 2), "{}", ended.stderr);
    for (line, words) in lines.iter().zip(["attempt=1 status=429", "attempt=2 status=200"]) {
        assert!(line.starts_with("debug: a") && line.contains(words) && line.len() < 220, "{line}");
    }
}

#[test]
fn nothing_but_the_answer_is_said_unasked() {
    let world = World::new();
    let ended = run(&mut world.invoke("throttle-1", ["hi"]));
    assert_eq!((ended.exit, ended.stderr.as_str()), (Some(0), ""));
}

/// Reads what a running program prints, up to a line that begins so.
pub(crate) fn lines_up_to(child: &mut Child, beginning: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for line in BufReader::new(child.stdout.as_mut().unwrap()).lines() {
        let line = line.unwrap();
        let is_last = line.starts_with(beginning);
        lines.push(line);
        if is_last {
            return lines;
        }
    }
    panic!("{beginning} was not printed: {lines:?}");
}
