//! The corpus: streams as agents send them, from HTTP to events, each with what must come of it, written by hand.
//!
//! `streams/` has one file a stream; `streams/README.md` says how they are written. Each is served in many chunkings, which must
//! all say the same. `cargo test -p agentcore-tests streams -- --nocapture` prints the table.

mod bounds;
mod expectation;
mod server;

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf};

use agentcore_client::{Auth, Client, EndMark, Event, Target};

use self::{
    expectation::{Stream, in_short, is_as_expected},
    server::Server,
};

/// What an answer said, in short, and how it ended.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    lines: Vec<String>,
    dialect: Option<String>,
    end: &'static str,
}

async fn said(client: &Client, server: &Server, stream: &Stream, sizes: &[usize]) -> Said {
    server.answer(&stream.content_type, &stream.bytes, sizes);
    let mut events =
        client.target(Target::local(server.url()).unwrap()).invoke("x").stream().await.unwrap().past_errors();
    let mut found = Vec::new();
    let (mut dialect, mut end) = (None, "failed");
    while let Some(event) = events.next().await {
        if let Ok(Event::Done(done)) = &event {
            dialect = done.dialect.map(|dialect| dialect.to_string());
            end = match done.end_mark {
                EndMark::Seen => "seen",
                EndMark::Missing => "missing",
                _ => "none",
            };
        } else {
            found.push(event);
        }
    }
    Said { lines: in_short(&found, stream.is_text()), dialect, end }
}

/// Where to cut: whole, byte by byte, in twos, threes and sevens, and wherever a generator says, from fixed seeds.
fn chunkings(bytes: usize) -> Vec<(String, Vec<usize>)> {
    let even = |size: usize| (format!("pieces of {size}"), vec![size; bytes.div_ceil(size)]);
    let mut all = vec![("whole".to_owned(), vec![bytes.max(1)])];
    all.extend([1, 2, 3, 7].map(even));
    for seed in 1..=5_u64 {
        let (mut state, mut sizes, mut cut) = (seed, Vec::new(), 0);
        while cut < bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let size = usize::try_from(state >> 33).unwrap() % 61 + 1;
            sizes.push(size);
            cut += size;
        }
        all.push((format!("random pieces, seed {seed}"), sizes));
    }
    all
}

/// The corpus, or the streams of a directory that `AGENTCORE_STREAMS` names: those that were made anew.
fn corpus() -> BTreeMap<String, Stream> {
    let made_anew = std::env::var_os("AGENTCORE_STREAMS").map(PathBuf::from);
    let place = made_anew.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("streams"));
    let (mut directories, mut found) = (vec![place.clone()], BTreeMap::new());
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|end| end == "stream") {
                let name = path.strip_prefix(&place).unwrap().with_extension("").display().to_string();
                let stream = Stream::parse(&std::fs::read(&path).unwrap());
                found.insert(name.clone(), stream.unwrap_or_else(|error| panic!("{name}: {error}")));
            }
        }
    }
    found
}

#[expect(clippy::print_stdout, reason = "the table is for whoever runs the test")]
fn print(table: &str) {
    println!("{table}");
}

#[tokio::test]
async fn streams_say_what_they_must_however_they_are_cut() {
    let client = Client::builder().auth(Auth::None).build().unwrap();
    let server = Server::start().await;
    let corpus = corpus();
    let (mut table, mut wrong) = (String::new(), String::new());
    let _ = writeln!(table, "{:44} {:13} {:>6} {:>6} {:>9}  made", "stream", "dialect", "bytes", "events", "chunkings");
    for (name, stream) in &corpus {
        let mut good = 0;
        let chunkings = chunkings(stream.bytes.len());
        for (chunking, sizes) in &chunkings {
            let said = said(&client, &server, stream, sizes).await;
            let dialect = said.end == "failed" || said.dialect == stream.dialect;
            if is_as_expected(&said.lines, &stream.expected) && dialect && said.end == stream.end {
                good += 1;
            } else if wrong.len() < 60_000 && good + 1 > 0 && !wrong.contains(&format!("\n== {name},")) {
                let _ = writeln!(wrong, "\n== {name}, {chunking}: {:?} {}", said.dialect, said.end);
                said.lines.iter().for_each(|line| wrong.extend(["  ", line, "\n"]));
            }
        }
        let (dialect, events) = (stream.dialect.as_deref().unwrap_or("–"), stream.expected.len());
        let (bytes, all, made) =
            (stream.bytes.len(), chunkings.len(), stream.made.chars().take(48).collect::<String>());
        let _ = writeln!(table, "{name:44} {dialect:13} {bytes:>6} {events:>6} {:>9}  {made}", format!("{good}/{all}"));
    }
    print(&format!("{table}{} streams", corpus.len()));
    assert!(wrong.is_empty(), "what these streams say is not what was expected:{wrong}");
    assert!(std::env::var_os("AGENTCORE_STREAMS").is_some() || corpus.len() >= 60, "{} streams", corpus.len());
}
