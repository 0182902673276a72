//! Two senders, a receiver that asks again and again, and an end: each may give up at every await.

use super::*;
use crate::connect::{Close, Incoming, Receiver, Sender};

/// What a sender knows of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Sent,
    /// It failed, and may have been received or not.
    Failed {
        may_have_run: bool,
    },
    /// The sender did not wait for it.
    Nothing,
}

/// What the receiver got of a connection, and why it ended.
#[derive(Debug, Default)]
struct Got {
    numbers: Vec<u32>,
    /// What the program was told of messages that may be lost, and of connections that it did not see.
    unconfirmed: u64,
    attempts: u32,
}

/// Sends messages with this name and a number, one after the other.
async fn send(sender: Sender, name: char, patient: bool) -> Vec<(String, Told)> {
    let mut told = Vec::new();
    for number in 0..MESSAGES {
        let text = format!("{name}{number} of twenty bytes.");
        let looks = if patient || happens(2) { u32::MAX } else { thread_rng().gen_range(0..6) };
        told.push((
            text.clone(),
            match give_up(sender.send(text), looks).await {
                Some(Ok(())) => Told::Sent,
                Some(Err(error)) => Told::Failed { may_have_run: error.may_have_run() },
                None => Told::Nothing,
            },
        ));
    }
    told
}

/// Receives until the end, and returns what came of each connection.
async fn receive(mut receiver: Receiver) -> (Vec<Got>, Result<(), ErrorKind>) {
    let mut got = vec![Got::default()];
    loop {
        let looks = if happens(2) { u32::MAX } else { thread_rng().gen_range(0..4) };
        match give_up(receiver.try_next(), looks).await {
            None => pause().await,
            Some(Ok(Some(Incoming::Reconnected(reconnected)))) => {
                let lost = got.last_mut().unwrap();
                (lost.unconfirmed, lost.attempts) = (reconnected.unconfirmed, reconnected.attempts);
                got.push(Got::default());
            }
            Some(Ok(Some(incoming))) => got.last_mut().unwrap().numbers.push(incoming.text().unwrap().parse().unwrap()),
            Some(Ok(None)) => return (got, Ok(())),
            Some(Err(error)) => return (got, Err(error.kind())),
        }
    }
}

fn numbers() -> Vec<tungstenite::Message> {
    (0..3).map(|number: u32| tungstenite::Message::text(number.to_string())).collect()
}

/// What an agent says that speaks unasked, or nothing.
fn any_says() -> Vec<tungstenite::Message> {
    if happens(2) { numbers() } else { Vec::new() }
}

/// Runs a socket to its end, whichever way the program ends it, and checks all that a program may rely on.
fn live(settings: Settings, endings: Vec<Ending>, says: Vec<tungstenite::Message>, patient: bool) {
    let has_timers = settings.ping_interval.is_some();
    let (is_silent, agent_ends) = (says.is_empty(), endings.len());
    let world = World::new(settings, endings, says);
    let (sender, receiver) = world.socket(None).split();
    let receiving = world.spawn(async |_| receive(receiver).await);
    let senders = ['a', 'b'].map(|name| {
        let sender = sender.clone();
        world.spawn(async move |_| send(sender, name, patient).await)
    });
    let early = !patient && happens(3);
    let close = async |sender: Sender| {
        while give_up(sender.close(Close::normal()), thread_rng().gen_range(1..6)).await.is_none() {}
    };
    if early {
        block_on(close(sender.clone()));
    }
    let told: Vec<_> = senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect();
    if !early {
        block_on(close(sender.clone()));
    }
    let (got, outcome) = receiving.join().unwrap();
    drop(sender);
    world.settle();
    let seen = world.seen();
    let state = world.state();
    let facts = || format!("{told:?}\n{got:?} {outcome:?}\n{:?}", state.connections);

    // What was not sent was not received, what was sent was received once or counted, and nothing was received twice.
    let mut missing = 0;
    for (text, told) in &told {
        let times = seen.iter().filter(|seen| matches!(seen, Seen::Text(seen) if seen == text)).count();
        match told {
            Told::Failed { may_have_run: false } => assert_eq!(times, 0, "{text}: {}", facts()),
            _ => assert!(times <= 1, "{text}: {}", facts()),
        }
        missing += u64::from(*told == Told::Sent && times == 0);
    }
    // What an agent says unasked confirms more than it has read; and of the last connection, if the agent ended it, nothing is said.
    if outcome.is_ok() && is_silent && state.connections.len() > agent_ends {
        let counted: u64 = got.iter().map(|got| got.unconfirmed).sum();
        assert!(missing <= counted, "{missing} are missing, {counted} were counted: {}", facts());
    }
    // Each sender's messages keep their order.
    for name in ['a', 'b'] {
        let texts: Vec<_> = seen
            .iter()
            .filter_map(|seen| if let Seen::Text(text) = seen { text.strip_prefix(name) } else { None })
            .collect();
        assert!(texts.is_sorted(), "{}", facts());
    }
    // Each lost connection is reported before the messages of the next, of which none is missing or doubled.
    let mut at = 0;
    for got in &got {
        let connection = &state.connections[at];
        let expected: Vec<_> = (0..u32::try_from(got.numbers.len()).unwrap()).collect();
        assert_eq!(got.numbers, expected, "{}", facts());
        let whole = connection.clean && !has_timers;
        assert!(!whole || got.numbers.len() >= connection.said as usize, "{}", facts());
        at += got.attempts as usize;
    }
    assert!(at + 1 == state.connections.len() || outcome.is_err(), "{}", facts());
    // The program's close frame is sent once, and last.
    for connection in &state.connections {
        let closes = connection.seen.iter().filter(|seen| matches!(seen, Seen::Close(1000))).count();
        let last = connection.seen.last();
        assert!(closes == 0 || closes == 1 && last == Some(&Seen::Close(1000)), "{}", facts());
    }
    let closed = state.connections.iter().filter(|connection| connection.seen.contains(&Seen::Close(1000))).count();
    assert!(closed <= 1, "{}", facts());
}

#[test]
fn where_nothing_fails_nothing_is_missing() {
    explore(|| {
        live(without_timers(), Vec::new(), numbers(), true);
    });
}

#[test]
fn whoever_gives_up_a_socket_goes_on() {
    explore(|| live(without_timers(), Vec::new(), numbers(), false));
}

#[test]
fn connections_that_are_lost_are_replaced_and_nothing_is_sent_twice() {
    explore(|| live(without_timers(), vec![Ending::Drop, Ending::Close(1012)], any_says(), false));
}

#[test]
fn whenever_a_timer_is_due() {
    explore(|| live(with_timers(), vec![Ending::Close(1001), Ending::Drop], any_says(), false));
}

/// Both halves are dropped at any time, whatever waits to be sent or read, and whether there is another connection or not.
#[test]
fn a_socket_that_is_dropped_ends() {
    explore(|| {
        let endings = vec![Ending::Drop, Ending::Drop];
        let world = World::with_connections(thread_rng().gen_range(1..4), without_timers(), endings, numbers());
        let (sender, mut receiver) = world.socket(None).split();
        let sending = world.spawn(async move |_| {
            for number in 0..MESSAGES {
                let _ = give_up(sender.send(format!("{number} of twenty bytes.")), thread_rng().gen_range(0..4)).await;
            }
        });
        let receiving = world.spawn(async move |_| {
            for _ in 0..thread_rng().gen_range(0..4) {
                let _ = give_up(receiver.next(), thread_rng().gen_range(0..4)).await;
            }
        });
        sending.join().unwrap();
        receiving.join().unwrap();
        world.settle();
    });
}

const MESSAGES: u32 = 3;
