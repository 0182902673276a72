//! Hostile servers: what a server may send that no honest one would, against the real program, with its peak of memory and its time.
//!
//! | file | what it is about |
//! |---|---|
//! | [`program`] | runs the program, and reads its peak from the kernel while it runs |
//! | [`server`] | a server on loopback that sends whatever an attack writes |
//! | [`attacks`] | the attacks, one file a layer: HTTP/1.1, streams of events, JSON, HTTP/2, WebSockets |
//!
//! A smaller size of each attack runs with the tests. `AGENTCORE_HOSTILE=full` runs the whole, `AGENTCORE_HOSTILE_ATTACK` the attacks
//! whose names contain a text.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "a table for who runs it by hand")]

mod attacks;
mod program;
mod server;
#[expect(dead_code, reason = "the other program that includes it uses all of it")]
#[path = "../../../../tests/wire.rs"]
mod wire;

use std::{
    env,
    sync::{Mutex, atomic::AtomicUsize, atomic::Ordering},
    thread,
    time::Duration,
};

use attacks::{Attack, Expected, Size};
use program::Ended;

/// What the program may need, whatever streams through it; some 27 MB are its own.
const FLAT_MB: f64 = 48.0;

/// What may pass after the timeout: a close of a WebSocket is waited for, five seconds, and a slow machine has its share.
const GRACE: Duration = Duration::from_secs(8);

#[test]
fn no_server_does_harm() {
    let size = if env::var("AGENTCORE_HOSTILE").is_ok_and(|size| size == "full") { Size::FULL } else { Size::BOUNDED };
    let only = env::var("AGENTCORE_HOSTILE_ATTACK").unwrap_or_default();
    let runs: Vec<(Attack, usize)> = attacks::all(&size)
        .into_iter()
        .filter(|attack| attack.name.contains(&only))
        .flat_map(|attack| (0..attack.expected.len()).map(move |run| (attack.clone(), run)))
        .collect();
    let control = program::run(&attacks::control(), &attacks::control().expected[0], &size);
    println!(
        "{:<26} {:<7} {:>5} {:>8} {:>8}  first line of the error",
        "attack", "output", "exit", "peak MB", "seconds"
    );
    println!("{:<26} {:<7} {}", "an answer of one word", "text", row(&control));
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some((attack, run)) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let expected = &attack.expected[*run];
                    let ended = program::run(attack, expected, &size);
                    println!("{:<26} {:<7} {}", attack.name, expected.output, row(&ended));
                    let most = FLAT_MB + 3.0 * expected.collected_mb;
                    let latest = size.timeout + GRACE;
                    let faults = faults(&ended, expected, most, latest);
                    let faults =
                        faults.into_iter().map(|fault| format!("{}, {}: {fault}", attack.name, expected.output));
                    wrong.lock().unwrap().extend(faults);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns what is not as expected.
fn faults(ended: &Ended, expected: &Expected, most_mb: f64, latest: Duration) -> Vec<String> {
    let mut faults = Vec::new();
    if ended.was_killed {
        return vec!["it did not end by itself".to_owned()];
    }
    if ended.exit.is_none() || ![Some(expected.exit), expected.or].contains(&ended.exit) {
        faults.push(format!("the exit code is {:?}, not {}", ended.exit, expected.exit));
    }
    let silent = !ended.stderr.contains("error:");
    if if expected.error.is_empty() { !silent } else { !ended.stderr.starts_with(expected.error) } {
        faults.push(format!("standard error is {:?}, not {:?}", ended.first_line(), expected.error));
    }
    if ended.stderr.contains("panicked") {
        faults.push("it panicked".to_owned());
    }
    if expected.exit == 5 && ended.took > latest {
        faults.push(format!("it ended after {:.1} s", ended.took.as_secs_f64()));
    }
    if ended.peak_mb > most_mb {
        faults.push(format!("the peak is {:.0} MB, more than {most_mb:.0}", ended.peak_mb));
    }
    faults
}

fn row(ended: &Ended) -> String {
    let exit = ended.exit.map_or_else(|| "–".to_owned(), |exit| exit.to_string());
    let line: String = ended.first_line().chars().take(110).collect();
    format!("{exit:>5} {:>8.1} {:>8.1}  {line}", ended.peak_mb, ended.took.as_secs_f64())
}
