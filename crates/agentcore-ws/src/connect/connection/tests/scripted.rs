//! Connections that break, or take no bytes, where a script says so.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use tokio::io::ReadBuf;

use super::*;

/// A connection of which the test decides what it takes and gives.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// How many more bytes are taken.
    room: usize,
    taken: Vec<u8>,
    /// Something found no room.
    blocked: bool,
    incoming: Vec<u8>,
    wakers: Vec<Waker>,
    /// What happens where there is no room, and where nothing is left to read.
    write_fails: bool,
    read_fails: bool,
}

impl Script {
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.0.lock().unwrap();
        change(&mut state);
        state.wakers.drain(..).for_each(Waker::wake);
    }

    fn taken(&self) -> Vec<u8> {
        self.0.lock().unwrap().taken.clone()
    }

    async fn until(&self, reached: impl Fn(&State) -> bool) {
        while !reached(&self.0.lock().unwrap()) {
            tokio::task::yield_now().await;
        }
    }
}

fn reset<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
}

impl AsyncRead for Script {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.lock().unwrap();
        if state.incoming.is_empty() {
            // The loss is read only once all was taken that is to be taken, and something was to be written.
            if state.read_fails && state.room == 0 && (state.blocked || !state.taken.is_empty()) {
                return reset();
            }
            state.wakers.push(cx.waker().clone());
            return Poll::Pending;
        }
        let length = buf.remaining().min(state.incoming.len());
        buf.put_slice(&state.incoming.drain(..length).collect::<Vec<_>>());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Script {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock().unwrap();
        let length = bytes.len().min(state.room);
        if length == 0 && state.write_fails {
            return reset();
        }
        if length == 0 {
            if !std::mem::replace(&mut state.blocked, true) {
                state.wakers.drain(..).for_each(Waker::wake);
            }
            state.wakers.push(cx.waker().clone());
            return Poll::Pending;
        }
        state.room -= length;
        state.taken.extend(&bytes[..length]);
        state.wakers.drain(..).for_each(Waker::wake);
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

type Commands = mpsc::Sender<Command>;

/// Runs a connection over this script; the channels come back at its end.
fn start(script: &Script, settings: Settings) -> (Commands, JoinHandle<(Outcome, Channels)>) {
    let (commands, outbox) = mpsc::channel(1);
    let (inbox, incoming) = mpsc::channel(2);
    let script = script.clone();
    let running = tokio::spawn(async move {
        let _incoming = incoming;
        let mut channels = Channels { outbox, inbox, waiting: None, reconnected: None, ends_with_receiver: false };
        let outcome = Connection::new(script, &settings).await.run(&mut channels, &settings).await;
        (outcome, channels)
    });
    (commands, running)
}

async fn send(commands: &Commands, message: impl Into<Message>) -> oneshot::Receiver<Result<(), Error>> {
    let (result, sent) = oneshot::channel();
    commands.send(Command::Send(message.into(), result)).await.unwrap();
    sent
}

/// 25 bytes in frames of 10 are 16, 16 and 11 bytes with their headers.
#[tokio::test(start_paused = true)]
async fn a_message_in_flight_may_have_arrived_wherever_the_connection_breaks() {
    for room in 0..=43 {
        for (write_fails, read_fails) in [(false, true), (true, room == 43), (true, true)] {
            let script = Script::default();
            script.change(|state| *state = State { room, write_fails, read_fails, ..State::default() });
            let (commands, running) = start(&script, Settings::default().max_frame_bytes(10));
            let sent = send(&commands, "abcdefghijklmnopqrstuvwxy").await.await.unwrap();
            let (outcome, _) = running.await.unwrap();
            let expected = if room == 43 { Ok(()) } else { Err((ErrorKind::BrokenOff, true)) };
            assert_eq!(sent.map_err(|error| (error.kind(), error.may_have_run())), expected, "{room}");
            assert_eq!((outcome.unconfirmed, script.taken().len()), (1, room), "{write_fails} {read_fails}");
            assert!(matches!(outcome.end, End::Lost { error, close_code: None } if error.may_have_run()));
        }
    }
}

/// The second message waits for the rate.
#[tokio::test(start_paused = true)]
async fn a_message_that_was_not_begun_waits_for_the_next_connection() {
    let script = Script::default();
    script.change(|state| state.room = 7);
    let (commands, running) = start(&script, Settings::default().max_frames_per_second(1));
    send(&commands, "a").await.await.unwrap().unwrap();
    let mut sent = send(&commands, "b").await;
    drop(commands.reserve().await.unwrap());
    script.change(|state| state.read_fails = true);
    let (outcome, channels) = running.await.unwrap();
    assert!(matches!(channels.waiting, Some(Command::Send(..))) && sent.try_recv().is_err());
    assert_eq!((outcome.unconfirmed, script.taken().len()), (1, 7));
}

/// The message waits for pongs that are to be written before it.
#[tokio::test(start_paused = true)]
async fn a_message_behind_what_waits_is_not_begun() {
    let script = Script::default();
    script.change(|state| state.incoming = [0x89, 1, b'x'].repeat(10));
    let (commands, running) = start(&script, Settings::default());
    script.until(|state| state.incoming.is_empty()).await;
    let mut sent = send(&commands, "a").await;
    drop(commands.reserve().await.unwrap());
    script.change(|state| state.read_fails = true);
    let (outcome, channels) = running.await.unwrap();
    assert!(matches!(channels.waiting, Some(Command::Send(..))) && sent.try_recv().is_err());
    assert_eq!(outcome.unconfirmed, 0);
}

/// The agent's close while a message is sent leaves as unknown whether it arrived.
#[tokio::test(start_paused = true)]
async fn a_close_in_mid_message() {
    let script = Script::default();
    script.change(|state| state.room = 3);
    let (commands, running) = start(&script, Settings::default());
    let sent = send(&commands, "hello").await;
    script.until(|state| state.blocked).await;
    script.change(|state| state.incoming = b"\x88\x02\x03\xe8".to_vec());
    let (outcome, _) = running.await.unwrap();
    assert!(matches!(outcome.end, End::Closed(close) if close.code == 1000));
    let error = sent.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.may_have_run(), outcome.unconfirmed), (ErrorKind::BrokenOff, true, 1));
}

/// What a peer without an end of pings gets, once it begins to read: the message, and boundedly many pongs, the newest the last.
#[tokio::test(start_paused = true)]
async fn pongs_that_nobody_reads_are_bounded() {
    let script = Script::default();
    let pings = (0..100_000_u32).flat_map(|number| [&[0x89, 4][..], &number.to_be_bytes()].concat());
    script.change(|state| state.incoming = pings.collect());
    let (commands, _running) = start(&script, Settings::default().ping_interval(None).max_frame_bytes(1000));
    script.until(|state| state.incoming.is_empty()).await;
    script.change(|state| state.room = usize::MAX);
    let sent = send(&commands, "x".repeat(1000)).await;
    sent.await.unwrap().unwrap();
    // Ten bytes a pong, and the message with a header of eight.
    let taken = script.taken();
    let message = taken.windows(4).position(|bytes| bytes == [0x81, 0xfe, 3, 0xe8]).unwrap();
    let (before, after) = (&taken[..message], &taken[message + 1008..]);
    let pongs: Vec<_> = before.chunks(10).chain(after.chunks(10)).collect();
    assert!((100..=1740).contains(&pongs.len()), "{}", pongs.len());
    assert!(pongs.iter().all(|pong| pong.starts_with(&[0x8a, 0x84]) && pong.len() == 10));
    let newest = pongs.last().unwrap();
    let payload: Vec<u8> = newest[6..].iter().zip(&newest[2..6]).map(|(byte, mask)| byte ^ mask).collect();
    assert_eq!(payload, 99_999_u32.to_be_bytes());
}
