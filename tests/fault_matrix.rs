//! Every operation against every phase in which a connection can be lost: what comes of it, and how often it was asked.
//!
//! A cell is what the caller meets: the kind of the error, the attempts that it counts, the requests that the server read, whether
//! the agent may have run, the exit code of the program, and the seconds that passed. Silence costs no time: once the server has
//! fallen silent, tokio's clock runs ahead to the next timeout.

mod expected;
mod operation;
mod server;
mod shared_connection;

use std::{fmt::Write as _, pin::pin, thread, time::Duration};

use agentcore_client::{Error, ErrorKind, Proxy, RetryPolicy, Transport};
use tokio::time::Instant;

use crate::wire::tls;
use expected::{Protocol, ROWS, Row};
use operation::Operation;
use server::{Phase, Script, Server};

/// Runs all cells, the operations side by side, prints them, and compares each with what is written by hand.
#[test]
#[expect(clippy::print_stdout, reason = "a table for who runs it by hand")]
fn every_operation_in_every_phase() {
    let found: Vec<Vec<Vec<String>>> = thread::scope(|scope| {
        let column = |operation| move || ROWS.iter().map(|row| cells(row, operation)).collect();
        let threads = operation::ALL.map(|operation| scope.spawn(column(operation)));
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (mut table, mut wrong) = (String::new(), String::new());
    for (index, row) in ROWS.iter().enumerate() {
        let name = format!("{:?} {:?}", row.phase, row.cut);
        // Operations that fare alike share a line.
        let mut lines: Vec<(&str, Vec<Operation>)> = Vec::new();
        for (operation, column) in operation::ALL.into_iter().zip(&found) {
            let expected = row.cells.iter().find(|(operations, _)| operations.contains(&operation));
            for (cell, protocol) in column[index].iter().zip(row.protocols(operation)) {
                match expected {
                    Some((_, expected)) if expected == cell => {}
                    _ => {
                        writeln!(wrong, "{name}, {operation:?} over {protocol:?}: {cell:?}, not {expected:?}").unwrap()
                    }
                }
                match lines.iter_mut().find(|(found, _)| found == cell) {
                    Some((_, operations)) if operations.contains(&operation) => {}
                    Some((_, operations)) => operations.push(operation),
                    None => lines.push((cell, vec![operation])),
                }
            }
        }
        for (cell, operations) in lines {
            let operations = format!("{operations:?}");
            writeln!(table, "{:<30} {:<12} {cell:<42} {}", name, row.over, operations.trim_matches(['[', ']']))
                .unwrap();
        }
    }
    println!(
        "{:<30} {:<12} {:<42} operations",
        "phase and cut", "over", "outcome, attempts/requests, may_have_run, exit"
    );
    println!("{table}");
    assert!(wrong.is_empty(), "{wrong}");
}

/// Returns what is found of a row, for each protocol.
fn cells(row: &Row, operation: Operation) -> Vec<String> {
    row.protocols(operation).iter().map(|protocol| cell(row, operation, *protocol)).collect()
}

fn transport(http2: bool) -> Transport {
    Transport::builder()
        .proxy(Proxy::None)
        .system_roots(false)
        .root_certificates(tls::TRUSTED.root_pem.as_str())
        .http2(http2)
        .build()
        .unwrap()
}

/// Short pauses, so that retries cost a test nothing.
fn eager() -> RetryPolicy {
    RetryPolicy::default().pauses(Duration::from_millis(1), Duration::from_millis(5))
}

fn cell(row: &Row, operation: Operation, protocol: Protocol) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().event_interval(1).build().unwrap();
    let mut server = Server::start(protocol != Protocol::Http1, |url| {
        let (answers, faulty) = operation.answers(url);
        Script { phase: row.phase, cut: row.cut, answers, faulty }
    });
    let url = match row.phase {
        // A label of more than 63 characters has no address, and no server of names is asked (RFC 1035 section 2.3.4).
        Phase::Dns => format!("https://{}.invalid", "x".repeat(64)),
        _ => server.url.clone(),
    };
    let transport = transport(protocol == Protocol::Http2);
    let (delivered, ended, elapsed) = runtime.block_on(async {
        let started = Instant::now();
        let mut calling = pin!(operation.call(&url, transport.clone(), eager()));
        let (delivered, ended) = loop {
            tokio::select! {
                biased;
                ended = &mut calling => break ended,
                () = server.silent() => {}
            }
            tokio::time::pause();
            tokio::select! {
                biased;
                ended = &mut calling => break ended,
                () = patience(&transport, row.phase) => tokio::time::resume(),
            }
        };
        (delivered, ended, started.elapsed())
    });
    assert_eq!(delivered, row.delivered(operation), "{:?} {:?} {operation:?} over {protocol:?}", row.phase, row.cut);
    let before = operation.answers(&url).1;
    described(&ended, server.requests().saturating_sub(before), elapsed)
}

/// Lets time pass until the client gives up a connection that it had made, and may make another.
async fn patience(transport: &Transport, phase: Phase) {
    if phase == Phase::Tls {
        // None was made. The clock leaps by itself.
        std::future::pending().await
    }
    while transport.connections().open > 0 {
        // What has come is read before time goes on.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        tokio::time::advance(STEP).await;
    }
}

const STEP: Duration = Duration::from_secs(1);

/// Writes a cell.
fn described(ended: &Result<(), Error>, requests: usize, elapsed: Duration) -> String {
    // The timeouts are multiples of ten seconds. The rest are pauses between attempts, and steps of the clock.
    let after = match elapsed.as_secs() / 10 * 10 {
        0 => String::new(),
        seconds => format!(" after {seconds} s"),
    };
    match ended {
        Ok(()) => format!("ok {requests}{after}"),
        Err(error) => {
            let ran = if error.may_have_run() { "yes" } else { "no" };
            format!("{:?} {}/{requests} {ran} {}{after}", error.kind(), error.attempts(), exit(error.kind()))
        }
    }
}

/// Returns the exit code of the program, by its contract.
fn exit(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Input => 2,
        ErrorKind::Authentication
        | ErrorKind::Authorization
        | ErrorKind::ExpiredToken
        | ErrorKind::UntrustedToken
        | ErrorKind::Challenge => 3,
        ErrorKind::Throttled | ErrorKind::Unavailable => 4,
        ErrorKind::Timeout => 5,
        ErrorKind::BrokenOff => 7,
        _ => 6,
    }
}
