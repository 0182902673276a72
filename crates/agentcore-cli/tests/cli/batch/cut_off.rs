//! Batches that do not come to their end: killed, interrupted, without room on the disk, without a reader.

use std::{
    collections::BTreeMap,
    fs,
    process::{Child, Command},
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

use agentcore_mock::{AgentRequest, AgentResponse, Mock};
use serde_json::{Value, json};

use super::{Files, batch, numbered, rows};
use crate::world::{Ended, World, ended, run};

/// An agent that counts how often it ran for each line, and takes a while.
fn counting(
    name: &'static str,
    delay: impl Fn(u64) -> Duration + Send + Sync + 'static,
) -> (World, Ran, mpsc::Receiver<()>) {
    let (ran, (told, runs)) = (Ran::default(), mpsc::channel());
    let counts = ran.clone();
    let world = World::with(Mock::builder().agent(name, move |request: AgentRequest| {
        let line = request.prompt().unwrap().parse().unwrap();
        *counts.lock().unwrap().entry(line).or_default() += 1;
        let _ = told.send(());
        let delay = delay(line);
        async move {
            tokio::time::sleep(delay).await;
            AgentResponse::json(line)
        }
    }));
    (world, ran, runs)
}

/// How often the agent ran for each line.
type Ran = Arc<Mutex<BTreeMap<u64, u32>>>;

/// Numbers that look random, the same ones each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// The program is killed at any moment, again and again, and resumed each time.
#[test]
fn what_is_killed_loses_nothing_and_runs_nothing_twice() {
    const LINES: u64 = 240;
    let (world, ran, runs) = counting("count", |line| Duration::from_millis(line * 7 % 13));
    let files = Files::new("killed");
    let (path, out) = (files.write("lines", numbered(240)), files.path("out"));
    let resumed = |flags: &[&'static str]| {
        let flags = [&*path, "--out", &out, "--resume", "--concurrency", "6"].into_iter().chain(flags.iter().copied());
        batch(&world, "count", flags)
    };
    let (mut random, mut kills) = (Random(1), 0);
    let exit = loop {
        let mut child = resumed(&[]).spawn().unwrap();
        let mut left = 1 + random.below(12);
        let ended = loop {
            match runs.recv_timeout(Duration::from_millis(20)) {
                Ok(()) => left = left.saturating_sub(1),
                Err(_) => {
                    if let Some(status) = child.try_wait().unwrap() {
                        break Some(status);
                    }
                }
            }
            if left == 0 {
                // Anywhere within the next milliseconds.
                let moment = Instant::now() + Duration::from_micros(random.below(6000));
                while Instant::now() < moment {
                    std::thread::yield_now();
                }
                child.kill().unwrap();
                let status = child.wait().unwrap();
                break status.code().map(|_| status);
            }
        };
        match ended {
            Some(status) => break status.code(),
            None => kills += 1,
        }
        assert!(kills < 1000);
    };
    while runs.try_recv().is_ok() {}
    let first = ran.lock().unwrap().clone();
    assert!(kills >= 20, "{kills}");
    assert!(first.values().all(|times| *times == 1), "{first:?}");
    let (_, newest) = files.rows("out");
    assert_eq!(newest.keys().copied().collect::<Vec<_>>(), (1..=LINES).collect::<Vec<_>>(), "no line is lost");
    let mut interrupted = Vec::new();
    for (line, row) in &newest {
        assert_eq!(row["id"], *line);
        match &row["error"] {
            Value::Null => assert_eq!((first.get(line), &row["json"]), (Some(&1), &json!(line))),
            error => {
                assert_eq!((&error["kind"], &error["may_have_run"]), (&json!("interrupted"), &json!(true)));
                interrupted.push(*line);
            }
        }
    }
    assert!(!interrupted.is_empty());
    assert_eq!(exit, Some(6));

    let last = run(&mut resumed(&["--rerun-uncertain"]));
    assert_eq!((last.exit, &*last.stderr), (Some(0), ""));
    let again: Vec<u64> = ran
        .lock()
        .unwrap()
        .iter()
        .filter(|(line, times)| first.get(line) != Some(times))
        .map(|(line, _)| *line)
        .collect();
    assert_eq!(again, interrupted, "only they run again");
    let (_, newest) = files.rows("out");
    assert!(newest.values().all(|row| row["error"].is_null()));
    let idle = run(&mut resumed(&[]));
    assert_eq!((idle.exit, runs.try_iter().count()), (Some(0), interrupted.len()));
}

/// Waits until so many lines are under way.
fn begun(child: Child, runs: &mpsc::Receiver<()>, lines: usize) -> Child {
    (0..lines).for_each(|_| runs.recv().unwrap());
    child
}

#[cfg(unix)]
#[test]
fn a_signal_records_what_was_under_way() {
    use crate::world::signal;
    let (world, ran, runs) = counting("hang", |line| if line == 1 { Duration::ZERO } else { Duration::MAX });
    for (name, exit) in [("-INT", 130), ("-TERM", 143)] {
        let files = Files::new(&format!("signal{name}"));
        let (path, out) = (files.write("lines", numbered(9)), files.path("out"));
        let start = |to_file: bool| {
            let args =
                [&*path, "--concurrency", "3"].into_iter().chain(["--out", &out].into_iter().filter(|_| to_file));
            let child = begun(batch(&world, "hang", args).spawn().unwrap(), &runs, 4);
            signal(name, &child);
            ended(child)
        };
        for (to_file, note) in [
            (false, "note: interrupted; the agents of the lines under way may go on working\n"),
            (
                true,
                "note: interrupted; the agents of the lines under way may go on working; --resume goes on with the other lines\n",
            ),
        ] {
            let found = start(to_file);
            assert_eq!((found.exit, &*found.stderr), (Some(exit), note));
            let rows = rows(&if to_file { files.read("out") } else { found.stdout });
            let ends: Vec<_> = rows
                .iter()
                .map(|row| {
                    (row["line"].as_u64().unwrap(), row["error"]["kind"].as_str(), &row["error"]["may_have_run"])
                })
                .collect();
            let cut = |line| (line, Some("interrupted"), &Value::Bool(true));
            assert_eq!(ends, [(1, None, &Value::Null), cut(2), cut(3), cut(4)]);
            assert!(rows.iter().all(|row| row["id"] == row["line"] && row["session_id"].is_string()));
        }
        assert_eq!(ran.lock().unwrap().keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4], "no more were begun");
    }
}

/// The progress stands on a line of its own, which is gone before anything else is said.
#[cfg(unix)]
#[test]
fn progress_at_a_terminal() {
    use crate::terminal::Terminal;
    let (world, _, runs) = counting("hang", |line| if line < 3 { Duration::ZERO } else { Duration::MAX });
    let files = Files::new("terminal");
    let (path, out) = (files.write("lines", numbered(4)), files.path("out"));
    let mut terminal = Terminal::start(batch(&world, "hang", [&*path, "--out", &out]));
    (0..4).for_each(|_| runs.recv().unwrap());
    terminal.wait_for("2 of 4 done, 0 failed");
    terminal.keys("\u{3}");
    let (exit, seen) = terminal.end();
    assert_eq!(exit, Some(130));
    let (_, after) = seen.rsplit_once("\r\u{1b}[2K").unwrap();
    let note =
        "note: interrupted; the agents of the lines under way may go on working; --resume goes on with the other lines";
    assert_eq!(after.trim(), note);
    let (rows, _) = files.rows("out");
    let kinds: Vec<_> = rows.iter().map(|row| row["error"]["kind"].as_str()).collect();
    assert_eq!(kinds, [None, None, Some("interrupted"), Some("interrupted")]);
}

/// A line that was throttled and waits has not run, and is simply sent when the batch is resumed.
#[cfg(unix)]
#[test]
fn a_signal_while_a_line_waits_to_be_sent_again() {
    let (world, files) = (World::new(), Files::new("waits"));
    let (path, out) = (files.write("lines", numbered(3)), files.path("out"));
    let mut child = batch(&world, "error-429-after-600", [&*path, "--out", &out, "--concurrency", "1"])
        .env("RUST_LOG", "agentcore_client=debug")
        .spawn()
        .unwrap();
    let stderr = child.stderr.take().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(stderr));
    assert!(lines.any(|line| line.unwrap().contains("waits to be sent again")));
    crate::world::signal("-INT", &child);
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let (rows, _) = files.rows("out");
    assert!(!rows.is_empty());
    for row in rows {
        assert_eq!(
            (&row["error"]["kind"], &row["error"]["may_have_run"]),
            (&json!("interrupted"), &json!(false)),
            "{row}"
        );
    }
    assert_eq!(run(&mut batch(&world, "echo", [&*path, "--out", &out, "--resume"])).exit, Some(0));
}

#[test]
fn one_process_at_a_time() {
    let (world, _, runs) = counting("hang", |_| Duration::MAX);
    let files = Files::new("twice");
    let (path, out) = (files.write("lines", numbered(2)), files.path("out"));
    let mut child = begun(batch(&world, "hang", [&*path, "--out", &out]).spawn().unwrap(), &runs, 2);
    let second = run(&mut batch(&world, "hang", [&*path, "--out", &out, "--resume"]));
    assert_eq!((second.exit, second.stderr), (Some(2), format!("error: another process writes {out:?}\n")));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(runs.try_iter().count(), 0);
}

/// A limit on the size of files is as good as a full disk.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_it_and_loses_nothing() {
    let (world, ran, _runs) = counting("count", |_| Duration::ZERO);
    let files = Files::new("full");
    let (path, out) = (files.write("lines", numbered(60)), files.path("out"));
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
    let mut shell = Command::new("/bin/sh");
    let args = [env!("CARGO_BIN_EXE_acore"), "batch", &path, "--out", &out];
    let plain = batch(&world, "count", []);
    shell
        .args(["-c", script])
        .args(args)
        .env_clear()
        .envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let found = run(shell.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()));
    assert_eq!(found.exit, Some(1));
    let lines: Vec<_> = found.stderr.lines().collect();
    assert_eq!(
        lines,
        [
            &*format!("error: cannot write to {out:?}"),
            "  caused by: File too large (os error 27)",
            "  hint: --resume goes on with what was written"
        ]
    );
    let (kept, _) = files.rows("out");
    assert!((1..60).contains(&kept.len()));
    // There is room again.
    let resumed = run(&mut batch(&world, "count", [&*path, "--out", &out, "--resume"]));
    assert_eq!(resumed.exit, Some(6), "{}", resumed.stderr);
    assert!(ran.lock().unwrap().values().all(|times| *times == 1));
    let (_, newest) = files.rows("out");
    assert_eq!(newest.len(), 60);
    let last = run(&mut batch(&world, "count", [&*path, "--out", &out, "--resume", "--rerun-uncertain"]));
    assert_eq!(last.exit, Some(0), "{}", last.stderr);
}

/// The lines that were checked are those that are sent.
#[test]
fn an_input_that_changes_is_noticed() {
    let files = Files::new("changed");
    let path = files.write("lines", numbered(2000));
    for changed in [numbered(1000), numbered(2000).replace("1500", "1501"), numbered(1900) + &"x".repeat(5000)] {
        files.write("lines", numbered(2000));
        let (file, to) = (path.clone(), changed.clone());
        let (world, ..) = counting("changes", move |line| {
            if line == 1 {
                fs::write(&file, &to).unwrap();
            }
            Duration::ZERO
        });
        let found = run(&mut batch(&world, "changes", [&*path, "--concurrency", "1"]));
        let error = format!("error: {path:?} was changed while its lines were sent\n");
        assert_eq!((found.exit, found.stderr), (Some(1), error));
        assert!(rows(&found.stdout).len() >= 100);
    }
}

#[test]
fn nothing_is_sent_for_a_reader_that_has_gone() {
    use std::io::Read as _;
    let (world, ran, _runs) = counting("count", |_| Duration::from_millis(5));
    let files = Files::new("reader");
    let path = files.write("lines", numbered(2000));
    let mut child = batch(&world, "count", [&*path, "--concurrency", "4"]).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 4]).unwrap();
    drop(stdout);
    let found = ended(child);
    assert_eq!(found.exit, Some(0));
    assert!(
        found.stderr.starts_with("note: nobody reads the answers any more; agents that may have run"),
        "{}",
        found.stderr
    );
    assert!(ran.lock().unwrap().len() < 1000);
    #[cfg(target_os = "linux")]
    {
        let mut command = batch(&world, "count", [&*path]);
        let Ended { exit, stderr, .. } = ended(command.stdout(fs::File::create("/dev/full").unwrap()).spawn().unwrap());
        let full = "error: cannot write to standard output\n  caused by: No space left on device (os error 28)\n";
        assert_eq!((exit, &*stderr), (Some(1), full));
    }
}
