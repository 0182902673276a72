//! What an open stream costs: many are opened in a process of their own, which reads its memory and its CPU time before and after.

use std::{
    env, fs,
    io::Write as _,
    net::TcpStream,
    process::Command,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream::select_all};

use crate::{
    Result,
    answer::Answer,
    contender::{self, Contender, Opened, Peers},
    place::{Place, Protocol},
    rounds,
    server::Server,
    stats,
    work::Work,
};

/// Measures every contender over plain HTTP/1.1 and writes the table.
pub(crate) fn table(peers: Peers) -> Result<String> {
    let server = Server::start(Protocol::Http1)?;
    let contenders = contender::all(&server.place, peers)?;
    let names: Vec<&str> = contenders.iter().map(|it| it.name()).collect();
    let mut table = format!(
        "Resident memory of an open stream, and the CPU time to open it and read its first event, as ratios to {}.\n\n",
        names[0]
    );
    table += &stats::heading(&[&["held at once, what is read", "floor, a stream"], &names[1..]].concat());
    for streams in &STREAMS[1..] {
        let floor = held(&server.place, 0, Work::StreamBytes, *streams)?;
        for (title, work) in READ {
            let (kib, time) = (floor.bytes / 1024.0, stats::time(floor.opening));
            let mut cells = vec![format!("{streams}, {title}"), format!("{kib:.1} KiB, {time}")];
            for (index, contender) in contenders.iter().enumerate().skip(1) {
                cells.push(match contender.open(work, Answer::Held) {
                    None => "–".to_owned(),
                    Some(_) => {
                        let own = held(&server.place, index, work, *streams)?;
                        let (memory, opening) = (own.bytes / floor.bytes, own.opening / floor.opening);
                        let kib = own.bytes / 1024.0;
                        format!("{} ({kib:.1} KiB), {}", stats::factor(memory), stats::factor(opening))
                    }
                });
            }
            table += &stats::cells(cells);
        }
    }
    Ok(table)
}

/// Measures the facade over each protocol and writes the table.
pub(crate) fn by_protocol() -> Result<String> {
    let mut table = INTRODUCTION.to_owned();
    table += &stats::heading(&["protocol", "open", "memory", "CPU to open", "first event, p50", "CPU an event"]);
    for protocol in Protocol::ALL {
        let server = Server::start(protocol)?;
        for streams in STREAMS {
            let floor = held(&server.place, FLOOR, Work::StreamBytes, streams)?;
            let own = held(&server.place, FACADE, Work::StreamText, streams)?;
            let beside = |text: String, own: f64, floor: f64| format!("{text} ({})", stats::factor(own / floor));
            let time = |own, floor| beside(stats::time(own), own, floor);
            table += &stats::cells([
                protocol.title().to_owned(),
                streams.to_string(),
                beside(format!("{:.1} KiB", own.bytes / 1024.0), own.bytes, floor.bytes),
                time(own.opening, floor.opening),
                time(own.first_event, floor.first_event),
                time(own.event, floor.event),
            ]);
        }
    }
    Ok(table)
}

/// What a stream takes: bytes, and seconds.
#[derive(Clone, Copy, Debug)]
struct Held {
    bytes: f64,
    /// Of a processor, until its first event was read.
    opening: f64,
    /// By the clock, from the call to its first event: the median of all streams.
    first_event: f64,
    /// Of a processor, for one more event on each stream.
    event: f64,
}

/// What a stream of a contender takes: the medians of some processes.
fn held(place: &Place, contender: usize, work: Work, streams: usize) -> Result<Held> {
    let name = if work == Work::StreamText { "text" } else { "events" };
    let mut measured: [Vec<f64>; 4] = Default::default();
    for _ in 0..if streams == 1 { 15 } else { 3 } {
        let output = Command::new(env::current_exe()?)
            .args([COMMAND, &place.to_string(), &contender.to_string(), name, &streams.to_string()])
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let told: Vec<f64> = said.split_whitespace().map_while(|number| number.parse().ok()).collect();
        if told.len() != measured.len() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        measured.iter_mut().zip(told).for_each(|(all, told)| all.push(told));
    }
    let [bytes, opening, first_event, event] = measured.map(|all| stats::median(&all));
    Ok(Held { bytes, opening, first_event, event })
}

/// Opens the streams, reads some events of each, and prints what each took.
pub(crate) fn counted(place: &str, contender: &str, work: &str, streams: &str, peers: Peers) -> Result<String> {
    let place: Place = place.parse()?;
    let wanted: usize = streams.parse()?;
    let index: usize = contender.parse()?;
    let contenders = contender::all(&place, peers)?;
    let contender: &dyn Contender = &**contenders.get(index).ok_or("there is no such contender")?;
    let work = match (index, work) {
        (FLOOR, _) => Work::StreamBytes,
        (_, "text") => Work::StreamText,
        _ => Work::StreamEvents,
    };
    let mut ticks = TcpStream::connect(&place.ticks)?;
    ticks.set_nodelay(true)?;
    rounds::runtime()?.block_on(async {
        let open = async || -> Result<(Opened, Duration)> {
            let begun = Instant::now();
            let mut stream = contender.open(work, Answer::Held).ok_or("this is not the contender's work")?.await?;
            stream.next().await.ok_or("the stream ended")??;
            Ok((stream, begun.elapsed()))
        };
        // What all streams share is there before.
        let (warm, _) = open().await?;
        let (mut streams, mut first) = (Vec::with_capacity(wanted), Vec::with_capacity(wanted));
        let (before, begun) = (resident()?, rounds::cpu_time()?);
        for _ in 0..wanted {
            let (stream, took) = open().await?;
            streams.push(stream);
            first.push(took.as_secs_f64());
        }
        let opening = rounds::cpu_time()?.saturating_sub(begun).as_secs_f64() / wanted as f64;
        let bytes = (resident()? - before) / wanted as f64;
        drop(warm);
        let mut all = select_all(streams);
        let mut tick = async || -> Result<()> {
            ticks.write_all(b".")?;
            for _ in 0..wanted {
                all.next().await.ok_or("the streams ended")??;
            }
            Ok(())
        };
        tick().await?;
        let begun = rounds::cpu_time()?;
        let rounds = (TICKED / wanted).max(5);
        for _ in 0..rounds {
            tick().await?;
        }
        let event = rounds::cpu_time()?.saturating_sub(begun).as_secs_f64() / (rounds * wanted) as f64;
        Ok(format!("{bytes} {opening} {} {event}\n", stats::median(&first)))
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
/// How many contenders hold at once.
const STREAMS: [usize; 4] = [1, 64, 1_000, 10_000];
const READ: [(&str, Work); 2] = [("server-sent events", Work::StreamEvents), ("the agent's text", Work::StreamText)];
/// The places of two contenders among all.
const FLOOR: usize = 0;
const FACADE: usize = 3;
/// How many events are read after the first ones, in sum.
const TICKED: usize = 10_000;

const INTRODUCTION: &str = "\
What one of so many open streams takes in agentcore-client, which reads an agent's text, and in parentheses the ratio to hyper-util over
the same protocol, which reads bytes. The last column is for one more event on each stream.

";
