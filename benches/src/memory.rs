//! What an open stream costs in memory: many are opened in a process of their own, whose resident memory is read before and after.

use std::{env, fs, process::Command};

use crate::{
    Result,
    contender::{self, Contender, Peers},
    rounds,
    server::Server,
    stats,
    work::Work,
};

/// Measures every contender and writes the table.
pub(crate) fn table(peers: Peers) -> Result<String> {
    let server = Server::start()?;
    let contenders = contender::all(&server.address, peers)?;
    let names: Vec<&str> = contenders.iter().map(|it| it.name()).collect();
    let mut table =
        format!("Resident memory of an open stream, of {STREAMS} that are held, as a ratio to {}.\n\n", names[0]);
    table += &stats::heading(&[&["what is read", "floor"], &names[1..]].concat());
    let floor = held(&server.address, 0, Work::StreamBytes)?;
    for (title, work) in [("server-sent events", Work::StreamEvents), ("the agent's text", Work::StreamText)] {
        let mut cells = vec![title.to_owned(), format!("{:.1} KiB per stream", floor / 1024.0)];
        for (index, contender) in contenders.iter().enumerate().skip(1) {
            cells.push(match contender.hold(work) {
                None => "–".to_owned(),
                Some(_) => {
                    let own = held(&server.address, index, work)?;
                    format!("{} ({:.1} KiB)", stats::factor(own / floor), own / 1024.0)
                }
            });
        }
        table += &stats::cells(cells);
    }
    Ok(table)
}

/// How many bytes a stream of a contender takes: the median of three processes.
fn held(address: &str, contender: usize, work: Work) -> Result<f64> {
    let name = if work == Work::StreamText { "text" } else { "events" };
    let mut found = Vec::new();
    for _ in 0..3 {
        let output =
            Command::new(env::current_exe()?).args([COMMAND, address, &contender.to_string(), name]).output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        found.push(said.trim().parse().map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?);
    }
    Ok(stats::median(&found))
}

/// Opens the streams, and prints the bytes that each takes.
pub(crate) fn counted(address: &str, contender: &str, work: &str, peers: Peers) -> Result<String> {
    let index: usize = contender.parse()?;
    let contenders = contender::all(address, peers)?;
    let contender: &dyn Contender = &**contenders.get(index).ok_or("there is no such contender")?;
    let work = match (index, work) {
        (0, _) => Work::StreamBytes,
        (_, "text") => Work::StreamText,
        _ => Work::StreamEvents,
    };
    rounds::runtime()?.block_on(async {
        let open = async || contender.hold(work).ok_or("this is not the contender's work")?.await;
        // What all streams share is there before.
        let mut streams = vec![open().await?];
        let before = resident()?;
        while streams.len() <= STREAMS {
            streams.push(open().await?);
        }
        Ok(format!("{}\n", (resident()? - before) / STREAMS as f64))
    })
}

/// The resident memory of this process, in bytes.
fn resident() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the kernel tells no resident memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
}

/// The argument that makes this program hold streams.
pub(crate) const COMMAND: &str = "hold";
const STREAMS: usize = 5_000;
