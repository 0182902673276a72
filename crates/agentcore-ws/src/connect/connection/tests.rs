//! One connection over a pipe, under a paused clock; the other side is the library's server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use tokio::{
    io::{AsyncWriteExt, DuplexStream, duplex},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::*;

mod scripted;

type Server = WebSocketStream<DuplexStream>;

/// A connection that runs, the program's side of it, and the agent's.
struct Fixture {
    commands: mpsc::Sender<Command>,
    incoming: mpsc::Receiver<Result<Incoming, Error>>,
    server: Server,
    running: JoinHandle<Outcome>,
}

async fn fixture(settings: Settings) -> Fixture {
    fixture_at(None, settings).await
}

/// The same with this configuration of the agent's side.
async fn fixture_at(config: Option<WebSocketConfig>, settings: Settings) -> Fixture {
    let (near, far) = duplex(PIPE);
    let (commands, outbox) = mpsc::channel(4);
    let (inbox, incoming) = mpsc::channel(2);
    let running = tokio::spawn(async move {
        let mut channels = Channels { outbox, inbox, waiting: None, reconnected: None, ends_with_receiver: false };
        Connection::new(near, &settings).await.run(&mut channels, &settings).await
    });
    let server = WebSocketStream::from_raw_socket(far, Role::Server, config).await;
    Fixture { commands, incoming, server, running }
}

impl Fixture {
    /// Begins to send, and returns the receiver of the result.
    async fn begin(&self, message: impl Into<Message>) -> oneshot::Receiver<Result<(), Error>> {
        let (result, sent) = oneshot::channel();
        self.commands.send(Command::Send(message.into(), result)).await.unwrap();
        sent
    }

    async fn arrival(&mut self) -> Incoming {
        self.incoming.recv().await.unwrap().unwrap()
    }

    /// The next frame at the agent's side; pings are answered on the way.
    async fn at_server(&mut self) -> tungstenite::Message {
        self.server.next().await.unwrap().unwrap()
    }

    async fn send_from_server(&mut self, text: impl Into<String>) {
        self.server.send(tungstenite::Message::text(text.into())).await.unwrap();
    }

    /// The error by which the connection is lost, while the agent's side stays.
    async fn lost(self) -> (ErrorKind, String) {
        lost_with(&self.running.await.unwrap())
    }
}

fn lost_with(outcome: &Outcome) -> (ErrorKind, String) {
    let End::Lost { error, .. } = &outcome.end else { panic!("{outcome:?}") };
    (error.kind(), error.message().to_owned())
}

#[tokio::test(start_paused = true)]
async fn messages_pass_both_ways_whole_and_in_order() {
    let mut fixture = fixture(Settings::default().max_frame_bytes(1000)).await;
    for (sent, seen) in [
        (Message::from("héllo"), tungstenite::Message::text("héllo")),
        (Message::from(""), tungstenite::Message::text("")),
        (Message::from(vec![0, 255]), tungstenite::Message::binary(vec![0, 255])),
        (Message::from("x".repeat(1000)), tungstenite::Message::text("x".repeat(1000))),
        (Message::from(vec![7; 2500]), tungstenite::Message::binary(vec![7; 2500])),
    ] {
        let sent = fixture.begin(sent).await;
        assert_eq!(fixture.at_server().await, seen);
        sent.await.unwrap().unwrap();
    }
    fixture.send_from_server("answer").await;
    fixture.server.send(tungstenite::Message::binary(vec![1, 2])).await.unwrap();
    assert_eq!(fixture.arrival().await.text(), Some("answer"));
    assert!(matches!(fixture.arrival().await, Incoming::Binary(bytes) if bytes == [1, 2][..]));
}

/// The lengths of the frames that a message of 2500 bytes leaves in, as the agent's side bounds them.
#[tokio::test(start_paused = true)]
async fn no_frame_is_larger_than_the_bound() {
    for (bound, fine) in [(1000, true), (999, false)] {
        let config = WebSocketConfig::default().max_frame_size(Some(bound));
        let mut fixture = fixture_at(Some(config), Settings::default().max_frame_bytes(1000)).await;
        let _sent = fixture.begin("x".repeat(2500)).await;
        assert_eq!(fixture.server.next().await.unwrap().is_ok(), fine, "{bound}");
    }
}

#[tokio::test(start_paused = true)]
async fn frames_leave_no_faster_than_the_service_takes_them() {
    let mut fixture = fixture(Settings::default().max_frame_bytes(1).max_frames_per_second(250)).await;
    let begun = Instant::now();
    let sent = fixture.begin("x".repeat(450)).await;
    assert_eq!(fixture.at_server().await, tungstenite::Message::text("x".repeat(450)));
    sent.await.unwrap().unwrap();
    // 50 at once, then 200 a second.
    assert_eq!(begun.elapsed().as_millis() / 100, 20);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_connection_is_kept_by_pings() {
    let mut fixture = fixture(Settings::default()).await;
    let begun = Instant::now();
    for round in 1..=20 {
        assert!(matches!(fixture.at_server().await, tungstenite::Message::Ping(_)));
        fixture.server.flush().await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), round * 30);
    }
    assert!(!fixture.running.is_finished());
}

#[tokio::test(start_paused = true)]
async fn no_pings_if_none_are_wanted() {
    let mut fixture = fixture(Settings::default().ping_interval(None)).await;
    let hour = timeout(Duration::from_secs(3600), fixture.server.next()).await;
    assert!(hour.is_err() && !fixture.running.is_finished());
}

#[tokio::test(start_paused = true)]
async fn durations_beyond_the_clock_mean_never() {
    for never in [Duration::MAX, Duration::from_secs_f64(1e19), Duration::from_secs(1 << 62)] {
        let settings = Settings::default().close_timeout(never).ping_interval(never).pong_timeout(never);
        let mut quiet = fixture(settings.clone()).await;
        let sent = quiet.begin("hello").await;
        assert_eq!(quiet.at_server().await, tungstenite::Message::text("hello"));
        sent.await.unwrap().unwrap();
        assert!(timeout(Duration::from_secs(3600), quiet.server.next()).await.is_err());
        quiet.commands.send(Command::Close(Close::normal())).await.unwrap();
        sleep(Duration::from_secs(3600)).await;
        assert!(!quiet.running.is_finished());

        let mut unanswered = fixture(settings.ping_interval(Duration::from_secs(10))).await;
        assert!(matches!(unanswered.at_server().await, tungstenite::Message::Ping(_)));
        sleep(Duration::from_secs(3600)).await;
        assert!(!unanswered.running.is_finished());
    }
}

#[tokio::test(start_paused = true)]
async fn silence_after_a_ping_is_a_loss() {
    let settings = Settings::default().ping_interval(Duration::from_secs(10)).pong_timeout(Duration::from_secs(7));
    let fixture = fixture(settings).await;
    let begun = Instant::now();
    // The agent's side is there, but nobody reads it and so nobody answers.
    let outcome = fixture.running.await.unwrap();
    assert_eq!(lost_with(&outcome), (ErrorKind::BrokenOff, "the agent's side was silent after a ping".into()));
    assert!(matches!(&outcome.end, End::Lost { error, .. } if error.may_have_run()), "{outcome:?}");
    assert_eq!(begun.elapsed().as_secs(), 17);
}

#[tokio::test(start_paused = true)]
async fn any_frame_counts_as_activity() {
    let settings = Settings::default().ping_interval(Duration::from_secs(10)).pong_timeout(Duration::from_secs(7));
    let mut fixture = fixture(settings).await;
    for _ in 0..10 {
        sleep(Duration::from_secs(6)).await;
        // Sent without reading, so that no ping is ever answered.
        fixture.send_from_server("still here").await;
        assert!(fixture.arrival().await.text().is_some());
    }
}

/// The inbox holds two messages, and no other is read before one is taken.
#[tokio::test(start_paused = true)]
async fn a_program_that_takes_its_time_loses_nothing() {
    let mut fixture = fixture(Settings::default()).await;
    for number in 0..10 {
        fixture.send_from_server(number.to_string()).await;
    }
    sleep(Duration::from_secs(600)).await;
    assert!(!fixture.running.is_finished());
    for number in 0..10 {
        assert_eq!(fixture.arrival().await.text(), Some(number.to_string().as_str()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_is_answered() {
    let mut fixture = fixture(Settings::default()).await;
    let sent = fixture.begin("last words").await;
    fixture.commands.send(Command::Close(Close::new(4001, "bye").unwrap())).await.unwrap();
    assert_eq!(fixture.at_server().await, tungstenite::Message::text("last words"));
    sent.await.unwrap().unwrap();
    let tungstenite::Message::Close(Some(frame)) = fixture.at_server().await else { panic!("a close") };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (4001, "bye"));
    fixture.server.flush().await.unwrap();
    let outcome = fixture.running.await.unwrap();
    assert_eq!(outcome.close_sent, Some(4001));
    assert!(matches!(outcome.end, End::Closed(close) if close == Close::new(4001, "bye").unwrap()));
}

#[tokio::test(start_paused = true)]
async fn messages_before_the_agents_close_are_received() {
    let mut fixture = fixture(Settings::default()).await;
    fixture.send_from_server("one").await;
    fixture.send_from_server("two").await;
    fixture.commands.send(Command::Close(Close::normal())).await.unwrap();
    assert_eq!(fixture.arrival().await.text(), Some("one"));
    assert_eq!(fixture.arrival().await.text(), Some("two"));
    while fixture.server.next().await.is_some() {}
    assert!(matches!(fixture.running.await.unwrap().end, End::Closed(_)));
}

#[tokio::test(start_paused = true)]
async fn a_close_that_is_not_answered_times_out() {
    let fixture = fixture(Settings::default().close_timeout(Duration::from_secs(3))).await;
    let begun = Instant::now();
    fixture.commands.send(Command::Close(Close::normal())).await.unwrap();
    assert_eq!(fixture.lost().await, (ErrorKind::Timeout, "the agent did not answer the close within 3 s".into()));
    assert_eq!(begun.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn dropping_both_halves_closes() {
    let mut fixture = fixture(Settings::default()).await;
    drop((fixture.commands, fixture.incoming));
    let Some(Ok(tungstenite::Message::Close(Some(frame)))) = fixture.server.next().await else { panic!("a close") };
    assert_eq!(u16::from(frame.code), 1000);
}

#[tokio::test(start_paused = true)]
async fn the_receiver_alone_keeps_it_open_and_so_does_the_sender() {
    let mut receiving = fixture(Settings::default()).await;
    let (commands, _) = mpsc::channel(1);
    drop(std::mem::replace(&mut receiving.commands, commands));
    receiving.at_server().await;
    receiving.send_from_server("still").await;
    assert_eq!(receiving.arrival().await.text(), Some("still"));

    let mut sending = fixture(Settings::default()).await;
    drop(std::mem::replace(&mut sending.incoming, mpsc::channel(1).1));
    sending.send_from_server("to nobody").await;
    let sent = sending.begin("still").await;
    assert_eq!(sending.at_server().await, tungstenite::Message::text("still"));
    sent.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_agents_close_is_reported_and_answered() {
    let mut fixture = fixture(Settings::default()).await;
    let frame = CloseFrame { code: CloseCode::Error, reason: "boom".into() };
    fixture.server.send(tungstenite::Message::Close(Some(frame.clone()))).await.unwrap();
    assert_eq!(fixture.at_server().await, tungstenite::Message::Close(Some(frame)));
    let outcome = fixture.running.await.unwrap();
    assert_eq!(outcome.close_sent, None);
    assert!(matches!(outcome.end, End::Closed(close) if (close.code, &*close.reason) == (1011, "boom")));
}

/// The codes of RFC 6455 §7.4 and the IANA registry, as bytes of the agent's, before and after the program's close.
#[tokio::test(start_paused = true)]
async fn close_codes_are_reported_as_they_came() {
    let valid = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
    let invalid = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535];
    for (codes, fine) in [(&valid[..], true), (&invalid, false)] {
        for (code, close_first) in codes.iter().flat_map(|code| [(*code, false), (*code, true)]) {
            let mut fixture = fixture(Settings::default()).await;
            if close_first {
                fixture.commands.send(Command::Close(Close::normal())).await.unwrap();
                fixture.at_server().await;
            }
            let frame = [&[0x88, 5][..], &u16::to_be_bytes(code), b"why"].concat();
            fixture.server.get_mut().write_all(&frame).await.unwrap();
            if fine {
                let outcome = fixture.running.await.unwrap();
                let End::Closed(close) = outcome.end else { panic!("{code}: {outcome:?}") };
                assert_eq!((close.code, &*close.reason), (code, "why"));
            } else {
                let message =
                    format!("the agent's side closed the connection with {code}, which no close frame may have");
                assert_eq!(fixture.lost().await, (ErrorKind::BrokenOff, message));
            }
        }
    }
    let mut fixture = fixture(Settings::default()).await;
    fixture.server.get_mut().write_all(&[0x88, 0]).await.unwrap();
    assert!(
        matches!(fixture.running.await.unwrap().end, End::Closed(close) if (close.code, &*close.reason) == (1005, ""))
    );
}

#[tokio::test(start_paused = true)]
async fn an_end_without_close_frame_is_a_loss() {
    let mut fixture = fixture(Settings::default()).await;
    drop(fixture.server);
    let outcome = fixture.running.await.unwrap();
    assert_eq!(lost_with(&outcome), (ErrorKind::BrokenOff, "the connection was lost".into()));
    assert!(fixture.incoming.recv().await.is_none());
}

/// As many messages wait as the channel has places. The next one stays with its sender, and none is lost.
#[tokio::test(start_paused = true)]
async fn messages_wait_for_a_slow_reader() {
    let mut fixture = fixture(Settings::default()).await;
    for (sent, waiting) in [(1, 1), (2, 2), (3, 2), (4, 2)] {
        fixture.send_from_server(sent.to_string()).await;
        // The clock goes on once everything waits.
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(fixture.incoming.len(), waiting);
    }
    for number in ["1", "2", "3", "4"] {
        assert_eq!(fixture.arrival().await.text(), Some(number));
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_larger_than_the_bound_ends_it() {
    let mut fixture = fixture(Settings::default().max_message_bytes(10)).await;
    fixture.send_from_server("x".repeat(10)).await;
    assert!(fixture.arrival().await.text().is_some());
    fixture.send_from_server("x".repeat(11)).await;
    let Ok(tungstenite::Message::Close(Some(frame))) = fixture.server.next().await.unwrap() else { panic!("a close") };
    assert_eq!(u16::from(frame.code), 1009);
    assert_eq!(fixture.lost().await, (ErrorKind::BrokenOff, "a message of the agent's is larger than 10 bytes".into()));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_websocket_ends_it() {
    let mut fixture = fixture(Settings::default()).await;
    fixture.server.get_mut().write_all(&[b'H'; 100]).await.unwrap();
    let message = "the agent's side does not speak WebSocket as it should";
    assert_eq!(fixture.lost().await, (ErrorKind::BrokenOff, message.into()));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_no_more_is_lost_and_the_sender_gets_the_error() {
    let fixture = fixture(Settings::default().pong_timeout(Duration::from_secs(9))).await;
    let begun = Instant::now();
    let sent = fixture.begin("x".repeat(2 * PIPE)).await;
    let error = sent.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.may_have_run()), (ErrorKind::BrokenOff, true));
    assert_eq!(begun.elapsed().as_secs(), 9);
    assert_eq!(fixture.lost().await.1, "the connection was lost");
}

#[tokio::test(start_paused = true)]
async fn a_message_nobody_waits_for_is_not_begun() {
    let mut fixture = fixture(Settings::default()).await;
    drop(fixture.begin("dropped").await);
    let _sent = fixture.begin("kept").await;
    assert_eq!(fixture.at_server().await, tungstenite::Message::text("kept"));
}

/// A pong confirms what was sent before its ping, and a ping or a close frame of the agent's nothing.
#[tokio::test(start_paused = true)]
async fn what_a_control_frame_confirms() {
    let mut fixture = fixture(Settings::default()).await;
    fixture.begin("before").await.await.unwrap().unwrap();
    sleep(Duration::from_secs(31)).await;
    fixture.begin("after").await.await.unwrap().unwrap();
    for (reads, unconfirmed) in [("before", 2), ("a ping", 2), ("after", 1)] {
        if reads == "a ping" {
            assert!(matches!(fixture.at_server().await, tungstenite::Message::Ping(_)));
        } else {
            assert_eq!(fixture.at_server().await, tungstenite::Message::text(reads), "{unconfirmed}");
        }
    }
    for message in [tungstenite::Message::Ping(Bytes::new()), tungstenite::Message::Pong(Bytes::new())] {
        fixture.server.send(message).await.unwrap();
    }
    fixture.server.close(None).await.unwrap();
    assert_eq!(fixture.running.await.unwrap().unconfirmed, 1);
}

#[tokio::test(start_paused = true)]
async fn how_much_is_unconfirmed() {
    for (answer_after, unconfirmed) in [(None, 3), (Some(0), 2), (Some(1), 1), (Some(2), 0)] {
        let mut fixture = fixture(Settings::default()).await;
        for number in 0..3 {
            fixture.begin("x").await.await.unwrap().unwrap();
            if answer_after == Some(number) {
                fixture.send_from_server("heard").await;
                fixture.arrival().await;
            }
        }
        drop(fixture.server);
        assert_eq!(fixture.running.await.unwrap().unconfirmed, unconfirmed, "{answer_after:?}");
    }
}

/// Bytes that the pipe holds in each direction.
const PIPE: usize = 64 * 1024;
