//! A shell that is typed into while it is read and left: detached, killed, dropped, or ended by itself.

use super::*;
use crate::{
    ShellFrame,
    connect::{Shell, ShellEvent, ShellInput},
};

/// How the program leaves the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leave {
    Detach,
    Kill,
    Drop,
    /// It begins to detach or to kill, and gives up.
    GiveUp,
}

/// What the program did, in the order in which it did it.
#[derive(Debug, Default)]
struct Done {
    /// How many connections there were when it left the shell.
    connections: usize,
    unconfirmed: u64,
    reconnected: u32,
    printed: Vec<u32>,
    exited: bool,
    failed: bool,
}

/// Types numbers one after the other, and returns which were sent.
async fn typed(input: ShellInput, patient: bool) -> Vec<(u8, Option<Result<(), bool>>)> {
    let mut told = Vec::new();
    for number in 0..TYPED {
        let looks = if patient || happens(2) { u32::MAX } else { thread_rng().gen_range(0..6) };
        let outcome = give_up(input.send(vec![number; 12]), looks).await;
        told.push((number, outcome.map(|outcome| outcome.map_err(|error| error.may_have_run()))));
    }
    told
}

/// Reads some events, and leaves the shell so.
async fn read_and_leave(world: Arc<World>, mut shell: Shell, leave: Leave, events: u32) -> Done {
    let mut done = Done::default();
    for _ in 0..events {
        let looks = if happens(2) { LOOKS } else { thread_rng().gen_range(0..4) };
        match give_up(shell.try_next(), looks).await {
            None => pause().await,
            Some(Ok(Some(ShellEvent::Stdout(bytes)))) => done.printed.push(u32::from(bytes[0])),
            Some(Ok(Some(ShellEvent::Reconnected(reconnected)))) => {
                done.unconfirmed += reconnected.unconfirmed;
                done.reconnected += reconnected.attempts;
            }
            Some(Ok(Some(ShellEvent::Exited(_)))) => done.exited = true,
            Some(Ok(Some(_))) => {}
            Some(Ok(None)) => break,
            Some(Err(_)) => {
                done.failed = true;
                break;
            }
        }
    }
    done.connections = world.state().connections.len();
    let looks = thread_rng().gen_range(0..6);
    match leave {
        Leave::Detach => done.failed |= shell.detach().await.is_err(),
        Leave::Kill => done.failed |= shell.kill().await.is_err(),
        Leave::Drop => drop(shell),
        Leave::GiveUp if happens(2) => drop(give_up(shell.detach(), looks).await),
        Leave::GiveUp => drop(give_up(shell.kill(), looks).await),
    }
    done
}

fn stdout() -> impl Iterator<Item = ShellFrame> {
    (0..3).map(|number: u8| ShellFrame::Stdout(vec![number; 12].into()))
}

fn says(frames: impl Iterator<Item = ShellFrame>) -> Vec<tungstenite::Message> {
    frames.map(|frame| tungstenite::Message::Binary(frame.encode().unwrap())).collect()
}

/// Opens a shell, types into it while another thread reads and leaves it, and checks what a program may rely on.
fn live(settings: Settings, endings: Vec<Ending>, leave: Leave, patient: bool) {
    let has_losses = !endings.is_empty();
    let world = World::new(settings, endings, says(stdout().chain([ShellFrame::Heartbeat])));
    let id = ShellId::random();
    let shell = Shell::new(world.socket(Some(&id)), id, &world.settings);
    let input = shell.input();
    let typing = world.spawn(async move |_| typed(input, patient).await);
    let (told, done) = if patient {
        let told = typing.join().unwrap();
        (told, block_on(read_and_leave(Arc::clone(&world), shell, leave, 0)))
    } else {
        let events = thread_rng().gen_range(0..12);
        let reading = world.spawn(async move |world| read_and_leave(world, shell, leave, events).await);
        let told = typing.join().unwrap();
        (told, reading.join().unwrap())
    };
    world.settle();
    let seen = world.seen();
    let state = world.state();
    let facts = || format!("{told:?}\n{done:?} {leave:?}\n{:?}", state.connections);

    // What is typed arrives in its order, at most once; where nothing fails, all of it that was sent.
    let numbers: Vec<u8> = seen
        .iter()
        .filter_map(|seen| match seen {
            Seen::Bytes(bytes) if bytes[0] == 0 => {
                assert_eq!(bytes.len(), 13, "whole: {}", facts());
                Some(bytes[1])
            }
            _ => None,
        })
        .collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{}", facts());
    for (number, outcome) in &told {
        match outcome {
            Some(Ok(())) => assert!(has_losses || numbers.contains(number), "{number}: {}", facts()),
            Some(Err(false)) => assert!(!numbers.contains(number), "{number}: {}", facts()),
            Some(Err(true)) | None => {}
        }
    }
    // The outputs of a connection come in their order, and each connection's begin anew.
    let begins = done.printed.iter().filter(|number| **number == 0).count();
    assert!(done.printed.windows(2).all(|pair| pair[1] == pair[0] + 1 || pair[1] == 0), "{}", facts());
    assert!(begins <= done.reconnected as usize + 1, "{}", facts());
    // A shell that was left is gone back to by no more than the connection that was being opened.
    assert!(state.connections.len() <= done.connections + 1, "{}", facts());
    let kills = seen.iter().filter(|seen| **seen == Seen::Bytes(vec![0xff])).count();
    match leave {
        Leave::Kill if !has_losses => assert!(kills == 1 && !done.failed, "{}", facts()),
        Leave::Kill | Leave::GiveUp => assert!(kills <= 1, "{}", facts()),
        Leave::Detach | Leave::Drop => assert_eq!(kills, 0, "{}", facts()),
    }
    if leave == Leave::Detach && !has_losses {
        assert!(!done.failed && seen.last() == Some(&Seen::Close(1000)), "{}", facts());
    }
}

fn any_leave() -> Leave {
    [Leave::Detach, Leave::Kill, Leave::Drop, Leave::GiveUp][thread_rng().gen_range(0..4)]
}

#[test]
fn what_was_typed_before_the_shell_is_left_arrives() {
    explore(|| live(without_timers(), Vec::new(), any_leave(), true));
}

#[test]
fn a_shell_is_left_while_it_is_typed_into() {
    explore(|| live(without_timers(), Vec::new(), any_leave(), false));
}

#[test]
fn a_shell_is_left_while_its_connections_are_lost() {
    explore(|| live(without_timers(), vec![Ending::Drop, Ending::Close(1011), Ending::Drop], any_leave(), false));
}

#[test]
fn a_shell_is_left_whenever_a_timer_is_due() {
    explore(|| live(with_timers(), vec![Ending::Close(1009), Ending::Drop], any_leave(), false));
}

/// More is typed than waits, and nobody waits for it.
#[test]
fn a_shell_that_is_dropped_is_left_whatever_still_types_into_it() {
    explore(|| {
        let world =
            World::with_connections(thread_rng().gen_range(1..3), without_timers(), vec![Ending::Drop], says(stdout()));
        let id = ShellId::random();
        let shell = Shell::new(world.socket(Some(&id)), id, &world.settings);
        let input = shell.input();
        let typing = world.spawn(async move |_| {
            for number in 0..20 {
                let _ = poll_once(input.send(vec![number; 12])).await;
            }
            input
        });
        let dropping = world.spawn(async move |_| {
            pause().await;
            drop(shell);
        });
        let input = typing.join().unwrap();
        dropping.join().unwrap();
        world.settle();
        assert!(block_on(input.send("late")).is_err());
    });
}

const TYPED: u8 = 4;
/// As many looks as nobody needs, unless nothing comes any more.
const LOOKS: u32 = 200;
