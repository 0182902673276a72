//! What an open stream costs: many are opened in a process of their own, whose resident memory and CPU time are read before and after.

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
    let mut table = format!(
        "Resident memory of an open stream, and the CPU time to open it and read its first event, as ratios to {}.\n\n",
        names[0]
    );
    table += &stats::heading(&[&["held at once, what is read", "floor, a stream"], &names[1..]].concat());
    for streams in STREAMS {
        let floor = held(&server.address, 0, Work::StreamBytes, streams)?;
        for (title, work) in [("server-sent events", Work::StreamEvents), ("the agent's text", Work::StreamText)] {
            let (kib, time) = (floor.bytes / 1024.0, stats::time(floor.seconds));
            let mut cells = vec![format!("{streams}, {title}"), format!("{kib:.1} KiB, {time}")];
            for (index, contender) in contenders.iter().enumerate().skip(1) {
                cells.push(match contender.hold(work) {
                    None => "–".to_owned(),
                    Some(_) => {
                        let own = held(&server.address, index, work, streams)?;
                        let memory = stats::factor(own.bytes / floor.bytes);
                        format!(
                            "{memory} ({:.1} KiB), {}",
                            own.bytes / 1024.0,
                            stats::factor(own.seconds / floor.seconds)
                        )
                    }
                });
            }
            table += &stats::cells(cells);
        }
    }
    Ok(table)
}

/// What a stream takes.
struct Held {
    bytes: f64,
    /// Of a processor, until its first event was read.
    seconds: f64,
}

/// What a stream of a contender takes: the median of three processes.
fn held(address: &str, contender: usize, work: Work, streams: usize) -> Result<Held> {
    let name = if work == Work::StreamText { "text" } else { "events" };
    let (mut bytes, mut seconds) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let output = Command::new(env::current_exe()?)
            .args([COMMAND, address, &contender.to_string(), name, &streams.to_string()])
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let told =
            said.trim().split_once(' ').and_then(|(bytes, seconds)| Some((bytes.parse().ok()?, seconds.parse().ok()?)));
        let (own_bytes, own_seconds) = told.ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        bytes.push(own_bytes);
        seconds.push(own_seconds);
    }
    Ok(Held { bytes: stats::median(&bytes), seconds: stats::median(&seconds) })
}

/// Opens the streams, and prints the bytes and the seconds that each takes.
pub(crate) fn counted(address: &str, contender: &str, work: &str, streams: &str, peers: Peers) -> Result<String> {
    let wanted: usize = streams.parse()?;
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
        let (before, begun) = (resident()?, rounds::cpu_time()?);
        while streams.len() <= wanted {
            streams.push(open().await?);
        }
        let took = rounds::cpu_time()?.saturating_sub(begun).as_secs_f64();
        Ok(format!("{} {}\n", (resident()? - before) / wanted as f64, took / wanted as f64))
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
const STREAMS: [usize; 3] = [64, 1_000, 10_000];
