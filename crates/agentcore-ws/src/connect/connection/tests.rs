//! One connection over a pipe, under a paused clock; the other side is the library's server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use tokio::{
    io::{AsyncWriteExt, DuplexStream, duplex},
    task::JoinHandle,
};

use super::*;

type Server = WebSocketStream<DuplexStream>;

/// A connection that runs, the program's side of it, and the agent's.
struct World {
    jobs: mpsc::Sender<Job>,
    arrivals: mpsc::Receiver<Result<Incoming, Error>>,
    server: Server,
    running: JoinHandle<Ended>,
}

async fn world(settings: Settings) -> World {
    let (near, far) = duplex(PIPE);
    let (jobs, outbox) = mpsc::channel(4);
    let (inbox, arrivals) = mpsc::channel(2);
    let running = tokio::spawn(async move {
        let mut ends = Ends { outbox, inbox, waiting: None, news: None };
        Connection::new(near, &settings).await.carry(&mut ends, &settings).await
    });
    let server = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
    World { jobs, arrivals, server, running }
}

impl World {
    /// Begins to send, and gives what will be told of it.
    async fn begin(&self, message: impl Into<Message>) -> oneshot::Receiver<Result<(), Error>> {
        let (tell, told) = oneshot::channel();
        self.jobs.send(Job::Send(message.into(), tell)).await.unwrap();
        told
    }

    async fn arrival(&mut self) -> Incoming {
        self.arrivals.recv().await.unwrap().unwrap()
    }

    /// The next frame at the agent's side; pings are answered on the way.
    async fn at_server(&mut self) -> tungstenite::Message {
        self.server.next().await.unwrap().unwrap()
    }
}

fn lost_with(ended: &Ended) -> (ErrorKind, String) {
    let End::Lost { error, .. } = &ended.how else { panic!("{ended:?}") };
    (error.kind(), error.message().to_owned())
}

#[tokio::test(start_paused = true)]
async fn messages_pass_both_ways_whole_and_in_order() {
    let mut world = world(Settings::default().max_frame_bytes(1000)).await;
    for (sent, seen) in [
        (Message::from("héllo"), tungstenite::Message::text("héllo")),
        (Message::from(""), tungstenite::Message::text("")),
        (Message::from(vec![0, 255]), tungstenite::Message::binary(vec![0, 255])),
        (Message::from("x".repeat(1000)), tungstenite::Message::text("x".repeat(1000))),
        (Message::from(vec![7; 2500]), tungstenite::Message::binary(vec![7; 2500])),
    ] {
        let told = world.begin(sent).await;
        assert_eq!(world.at_server().await, seen);
        told.await.unwrap().unwrap();
    }
    world.server.send(tungstenite::Message::text("answer")).await.unwrap();
    world.server.send(tungstenite::Message::binary(vec![1, 2])).await.unwrap();
    assert_eq!(world.arrival().await.text(), Some("answer"));
    assert!(matches!(world.arrival().await, Incoming::Binary(bytes) if bytes == [1, 2][..]));
}

/// The lengths of the frames that a message of 2500 bytes leaves in, as the agent's side bounds them.
#[tokio::test(start_paused = true)]
async fn no_frame_is_larger_than_the_bound() {
    for (bound, fine) in [(1000, true), (999, false)] {
        let (near, far) = duplex(PIPE);
        let (jobs, outbox) = mpsc::channel(4);
        let (inbox, _arrivals) = mpsc::channel(2);
        let settings = Settings::default().max_frame_bytes(1000);
        tokio::spawn(async move {
            let mut ends = Ends { outbox, inbox, waiting: None, news: None };
            Connection::new(near, &settings).await.carry(&mut ends, &settings).await
        });
        let config = WebSocketConfig::default().max_frame_size(Some(bound));
        let mut server = WebSocketStream::from_raw_socket(far, Role::Server, Some(config)).await;
        let (tell, _told) = oneshot::channel();
        jobs.send(Job::Send("x".repeat(2500).into(), tell)).await.unwrap();
        assert_eq!(server.next().await.unwrap().is_ok(), fine, "{bound}");
    }
}

#[tokio::test(start_paused = true)]
async fn frames_leave_no_faster_than_the_service_takes_them() {
    let mut world = world(Settings::default().max_frame_bytes(1).max_frames_per_second(250)).await;
    let begun = Instant::now();
    let told = world.begin("x".repeat(450)).await;
    assert_eq!(world.at_server().await, tungstenite::Message::text("x".repeat(450)));
    told.await.unwrap().unwrap();
    // 50 at once, then 200 a second.
    assert_eq!(begun.elapsed().as_millis() / 100, 20);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_connection_is_kept_by_pings() {
    let mut world = world(Settings::default()).await;
    let begun = Instant::now();
    for round in 1..=20 {
        assert!(matches!(world.at_server().await, tungstenite::Message::Ping(_)));
        world.server.flush().await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), round * 30);
    }
    assert!(!world.running.is_finished());
}

#[tokio::test(start_paused = true)]
async fn no_pings_if_none_are_wanted() {
    let mut world = world(Settings::default().ping_interval(None)).await;
    let hour = timeout(Duration::from_secs(3600), world.server.next()).await;
    assert!(hour.is_err() && !world.running.is_finished());
}

#[tokio::test(start_paused = true)]
async fn silence_after_a_ping_is_a_loss() {
    let settings = Settings::default().ping_interval(Duration::from_secs(10)).pong_timeout(Duration::from_secs(7));
    let world = world(settings).await;
    let begun = Instant::now();
    // The agent's side is there, but nobody reads it and so nobody answers.
    let _server = world.server;
    let ended = world.running.await.unwrap();
    assert_eq!(lost_with(&ended), (ErrorKind::BrokenOff, "the agent's side was silent after a ping".into()));
    assert_eq!(begun.elapsed().as_secs(), 17);
}

#[tokio::test(start_paused = true)]
async fn any_frame_is_a_sign_of_life() {
    let settings = Settings::default().ping_interval(Duration::from_secs(10)).pong_timeout(Duration::from_secs(7));
    let mut world = world(settings).await;
    for _ in 0..10 {
        sleep(Duration::from_secs(6)).await;
        // Sent without reading, so that no ping is ever answered.
        world.server.send(tungstenite::Message::text("still here")).await.unwrap();
        assert!(world.arrival().await.text().is_some());
    }
}

/// The inbox holds two, one more is read and waits for its place.
#[tokio::test(start_paused = true)]
async fn a_program_that_takes_its_time_loses_nothing() {
    let mut world = world(Settings::default()).await;
    for number in 0..10 {
        world.server.send(tungstenite::Message::text(number.to_string())).await.unwrap();
    }
    sleep(Duration::from_secs(600)).await;
    assert!(!world.running.is_finished());
    for number in 0..10 {
        assert_eq!(world.arrival().await.text(), Some(number.to_string().as_str()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_is_answered() {
    let mut world = world(Settings::default()).await;
    let told = world.begin("last words").await;
    world.jobs.send(Job::Close(Close::new(4001, "bye").unwrap())).await.unwrap();
    assert_eq!(world.at_server().await, tungstenite::Message::text("last words"));
    told.await.unwrap().unwrap();
    let tungstenite::Message::Close(Some(frame)) = world.at_server().await else { panic!("a close") };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (4001, "bye"));
    world.server.flush().await.unwrap();
    let ended = world.running.await.unwrap();
    assert_eq!(ended.close_sent, Some(4001));
    assert!(matches!(ended.how, End::Closed(close) if close == Close::new(4001, "bye").unwrap()));
}

#[tokio::test(start_paused = true)]
async fn what_the_agent_says_before_its_goodbye_is_heard() {
    let mut world = world(Settings::default()).await;
    world.server.send(tungstenite::Message::text("one")).await.unwrap();
    world.server.send(tungstenite::Message::text("two")).await.unwrap();
    world.jobs.send(Job::Close(Close::normal())).await.unwrap();
    assert_eq!(world.arrival().await.text(), Some("one"));
    assert_eq!(world.arrival().await.text(), Some("two"));
    while world.server.next().await.is_some() {}
    assert!(matches!(world.running.await.unwrap().how, End::Closed(_)));
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_that_is_not_answered_is_given_up() {
    let world = world(Settings::default().close_timeout(Duration::from_secs(3))).await;
    let begun = Instant::now();
    world.jobs.send(Job::Close(Close::normal())).await.unwrap();
    let ended = world.running.await.unwrap();
    assert_eq!(lost_with(&ended), (ErrorKind::Timeout, "the agent did not answer the close within 3 s".into()));
    assert_eq!(begun.elapsed().as_secs(), 3);
    drop(world.server);
}

#[tokio::test(start_paused = true)]
async fn both_halves_dropped_is_a_goodbye() {
    let mut world = world(Settings::default()).await;
    drop((world.jobs, world.arrivals));
    let Some(Ok(tungstenite::Message::Close(Some(frame)))) = world.server.next().await else { panic!("a close") };
    assert_eq!(u16::from(frame.code), 1000);
}

#[tokio::test(start_paused = true)]
async fn the_receiver_alone_keeps_it_open_and_so_does_the_sender() {
    let mut hearing = world(Settings::default()).await;
    let (jobs, _) = mpsc::channel(1);
    drop(std::mem::replace(&mut hearing.jobs, jobs));
    hearing.at_server().await;
    hearing.server.send(tungstenite::Message::text("still")).await.unwrap();
    assert_eq!(hearing.arrival().await.text(), Some("still"));

    let mut telling = world(Settings::default()).await;
    drop(std::mem::replace(&mut telling.arrivals, mpsc::channel(1).1));
    telling.server.send(tungstenite::Message::text("to nobody")).await.unwrap();
    let told = telling.begin("still").await;
    assert_eq!(telling.at_server().await, tungstenite::Message::text("still"));
    told.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_agents_goodbye_is_told_and_answered() {
    let mut world = world(Settings::default()).await;
    let frame = CloseFrame { code: CloseCode::Error, reason: "boom".into() };
    world.server.send(tungstenite::Message::Close(Some(frame.clone()))).await.unwrap();
    assert_eq!(world.at_server().await, tungstenite::Message::Close(Some(frame)));
    let ended = world.running.await.unwrap();
    assert_eq!(ended.close_sent, None);
    assert!(matches!(ended.how, End::Closed(close) if (close.code, &*close.reason) == (1011, "boom")));
}

#[tokio::test(start_paused = true)]
async fn an_end_without_goodbye_is_a_loss() {
    let mut world = world(Settings::default()).await;
    drop(world.server);
    let ended = world.running.await.unwrap();
    assert_eq!(lost_with(&ended), (ErrorKind::BrokenOff, "the connection was lost".into()));
    assert!(world.arrivals.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_message_larger_than_the_bound_ends_it() {
    let mut world = world(Settings::default().max_message_bytes(10)).await;
    world.server.send(tungstenite::Message::text("x".repeat(10))).await.unwrap();
    assert!(world.arrival().await.text().is_some());
    world.server.send(tungstenite::Message::text("x".repeat(11))).await.unwrap();
    let Ok(tungstenite::Message::Close(Some(frame))) = world.server.next().await.unwrap() else { panic!("a close") };
    assert_eq!(u16::from(frame.code), 1009);
    let ended = world.running.await.unwrap();
    assert_eq!(lost_with(&ended), (ErrorKind::BrokenOff, "a message of the agent's is larger than 10 bytes".into()));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_websocket_ends_it() {
    let mut world = world(Settings::default()).await;
    world.server.get_mut().write_all(&[b'H'; 100]).await.unwrap();
    let ended = world.running.await.unwrap();
    let message = "the agent's side does not speak WebSocket as it should";
    assert_eq!(lost_with(&ended), (ErrorKind::BrokenOff, message.into()));
}

#[tokio::test(start_paused = true)]
async fn a_side_that_takes_no_more_is_lost_and_the_sender_told() {
    let world = world(Settings::default().pong_timeout(Duration::from_secs(9))).await;
    let begun = Instant::now();
    let told = world.begin("x".repeat(2 * PIPE)).await;
    let error = told.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.may_have_run()), (ErrorKind::BrokenOff, true));
    assert_eq!(begun.elapsed().as_secs(), 9);
    assert_eq!(lost_with(&world.running.await.unwrap()).1, "the connection was lost");
    drop(world.server);
}

#[tokio::test(start_paused = true)]
async fn a_message_nobody_waits_for_is_not_begun() {
    let mut world = world(Settings::default()).await;
    drop(world.begin("dropped").await);
    let _told = world.begin("kept").await;
    assert_eq!(world.at_server().await, tungstenite::Message::text("kept"));
}

#[tokio::test(start_paused = true)]
async fn how_much_is_unconfirmed() {
    for (answer_after, unconfirmed) in [(None, 3), (Some(0), 2), (Some(1), 1), (Some(2), 0)] {
        let mut world = world(Settings::default()).await;
        for number in 0..3 {
            world.begin("x").await.await.unwrap().unwrap();
            if answer_after == Some(number) {
                world.server.send(tungstenite::Message::text("heard")).await.unwrap();
                world.arrival().await;
            }
        }
        drop(world.server);
        assert_eq!(world.running.await.unwrap().unconfirmed, unconfirmed, "{answer_after:?}");
    }
}

/// Bytes that the pipe holds in each direction.
const PIPE: usize = 64 * 1024;
