//! Many invocations: what comes of each line, what is refused, what is resumed, and how fast they are sent.

mod cut_off;
mod memory;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use agentcore_mock::{AgentRequest, AgentResponse, Mock};
use serde_json::{Value, json};

use crate::world::{SESSION, World, acore, run, run_with};

/// A directory of one test.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("batch-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, contents).unwrap();
        path
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The rows of a file, and the newest of each line.
    fn rows(&self, name: &str) -> (Vec<Value>, BTreeMap<u64, Value>) {
        let rows = rows(&self.read(name));
        let newest = rows.iter().map(|row| (row["line"].as_u64().unwrap(), row.clone())).collect();
        (rows, newest)
    }
}

fn rows(text: &str) -> Vec<Value> {
    assert!(text.is_empty() || text.ends_with('\n'), "the last row is whole");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Lines whose prompts are their numbers.
fn numbered(lines: usize) -> String {
    (1..=lines).map(|line| format!("{{\"prompt\": \"{line}\", \"id\": {line}}}\n")).collect()
}

/// The program with a good token, at a rate that no test waits for.
fn batch<'a>(world: &World, agent: &str, args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = world.acore(agent, ["batch"].into_iter().chain(args));
    command.env("AGENTCORE_BEARER_TOKEN", world.mock.token()).env("AGENTCORE_RATE", "2000");
    command
}

/// An agent that answers by the prompt: `fail`, `refuse`, `break`, or itself.
async fn moody(request: AgentRequest) -> AgentResponse {
    let error = |status: u16, message: &str| {
        AgentResponse::json(json!({"message": message})).with_status(http::StatusCode::from_u16(status).unwrap())
    };
    match request.prompt().unwrap().as_str() {
        "fail" => error(424, "no"),
        "refuse" => error(400, "bad"),
        "break" => AgentResponse::events([json!("half"), json!({"error": "out of words", "error_type": "ValueError"})]),
        prompt => AgentResponse::json(prompt),
    }
}

#[test]
fn a_row_for_each_line() {
    let world = World::with(Mock::builder().agent("moody", moody));
    let lines = format!(
        "{{\"prompt\": \"hi\", \"id\": \"a\", \"session_id\": \"{SESSION}\"}}\r\n{}\n{}\n{}",
        r#"{"payload": {"prompt": "fail"}, "id": {"n": 1.50}}"#,
        r#"{"prompt": "refuse"}"#,
        r#"{"prompt": "break", "id": 4}"#
    );
    let found = run_with(&mut batch(&world, "moody", []), lines.as_bytes());
    let said: Vec<_> = found.stderr.split(", request id").collect();
    let first = "error: 3 of 4 lines failed\n  caused by: line 2: no (HTTP 424";
    assert_eq!((found.exit, &said[..1], found.stderr.lines().count()), (Some(6), &[first][..], 2));
    assert!(found.stdout.contains("\"id\":{\"n\": 1.50}"), "an id is as it was written: {}", found.stdout);
    let mut rows = rows(&found.stdout);
    rows.sort_by_key(|row| row["line"].as_u64());
    for row in &mut rows {
        let members: Vec<_> = row.as_object().unwrap().keys().cloned().collect();
        let expected = "attempts elapsed_ms error id json line request_id session_id status text usage";
        assert_eq!(members.join(" "), expected);
        assert!(
            row["session_id"].as_str().unwrap().len() >= 33
                && row["request_id"].is_string()
                && row["elapsed_ms"].is_u64()
        );
        for member in ["request_id", "elapsed_ms"] {
            row.as_object_mut().unwrap().remove(member);
        }
        if row["line"] != 1 {
            row.as_object_mut().unwrap().remove("session_id");
        }
        if let Some(message) = row["error"]["message"].as_str() {
            let short = message.split(" (").next().unwrap().to_owned();
            row["error"]["message"] = short.into();
        }
    }
    let error = |kind: &str, message: &str, may_have_run: bool| json!({"kind": kind, "message": message, "may_have_run": may_have_run});
    assert_eq!(
        rows,
        [
            json!({"line": 1, "id": "a", "text": "hi", "json": "hi", "session_id": SESSION, "status": 200, "attempts": 1, "usage": null, "error": null}),
            json!({"line": 2, "id": {"n": 1.5}, "text": "", "json": null, "status": 424, "attempts": 1, "usage": null, "error": error("agent", "no", true)}),
            json!({"line": 3, "id": null, "text": "", "json": null, "status": 400, "attempts": 1, "usage": null, "error": error("service", "bad", false)}),
            json!({"line": 4, "id": 4, "text": "half", "json": null, "status": 200, "attempts": 1, "usage": null, "error": error("agent", "the agent failed: ValueError: out of words", true)}),
        ]
    );
    let sent: Vec<_> = world.mock.take_requests().iter().map(|request| request.body.clone()).collect();
    assert!(sent.iter().any(|body| *body == r#"{"prompt": "fail"}"#), "a payload is sent as it is written");
}

#[test]
fn what_is_no_input_is_refused_and_nothing_is_sent() {
    let (world, files) = (World::new(), Files::new("refused"));
    let good = "{\"prompt\": \"x\"}\n";
    for (lines, number, why) in [
        (format!("{good}{{\"promt\": \"x\"}}\n").into_bytes(), 2, "unknown field `promt`"),
        (format!("{good}{good}[]\n").into_bytes(), 3, "it is no JSON object"),
        (format!("{good}\n{good}").into_bytes(), 2, "it is no JSON object"),
        (format!("{good}{{\"prompt\": \"x\"").into_bytes(), 2, "EOF while parsing an object"),
        (format!("{good}{{\"prompt\": \"x\", \"payload\": 1}}").into_bytes(), 2, "it has a prompt and a payload"),
        (
            format!("{good}{{\"prompt\": \"x\", \"session_id\": \"short\"}}").into_bytes(),
            2,
            "invalid session id \"short\"",
        ),
        ([good.as_bytes(), b"{\"prompt\": \"caf\xe9\"}"].concat(), 2, "it is not UTF-8 at byte 15"),
        (b"\xff\xfe{\0\"\0".to_vec(), 1, "it is UTF-16, and must be UTF-8"),
    ] {
        let path = files.write("lines", &lines);
        let out = files.path("out");
        let by_file = run(&mut batch(&world, "echo", [&*path, "--out", &out]));
        let by_pipe = run_with(&mut batch(&world, "echo", ["-"]), &lines);
        for (found, name) in [(by_file, format!("{path:?}")), (by_pipe, "standard input".to_owned())] {
            let beginning = format!("error: line {number} of {name}: {why}");
            assert!(found.stderr.starts_with(&beginning), "{} {beginning}", found.stderr);
            assert_eq!((found.exit, &*found.stdout), (Some(2), ""));
        }
        assert!(!Path::new(&out).exists());
    }
    assert!(world.mock.requests().is_empty());
    // A mark of the encoding is about the file; identical ids are the caller's business.
    let lines = "\u{feff}{\"prompt\": \"x\", \"id\": 1}\n{\"prompt\": \"y\", \"id\": 1}\n";
    assert_eq!(run_with(&mut batch(&world, "echo", []), lines.as_bytes()).exit, Some(0));
    let found = run(&mut batch(&world, "echo", []));
    assert_eq!((found.exit, &*found.stdout, &*found.stderr), (Some(0), "", "note: the input has no lines\n"));
}

#[test]
fn flags_that_make_no_sense() {
    let (world, files) = (World::new(), Files::new("flags"));
    let (lines, there) = (files.write("lines", numbered(1)), files.write("there", "notes\n"));
    let exists = format!("{there:?} exists, and is not overwritten");
    let not_begun = format!(
        "{there:?} cannot be resumed, because {:?} does not say with which inputs it was begun",
        format!("{there}.started")
    );
    for (args, error) in [
        (vec![&*lines, "--resume"], "--resume goes on with the file of --out, and none is given"),
        (vec![&*lines, "--rerun-uncertain", "--out", "x"], "--rerun-uncertain is for --resume"),
        (vec![&*lines, "--out", &*there], &*exists),
        (vec![&*lines, "--out", &*there, "--resume"], &*not_begun),
        (vec!["--bearer-token", "-"], "standard input holds the token, so the lines cannot be read from it"),
        (vec![&*files.path("nowhere")], &*format!("cannot read {:?}", files.path("nowhere"))),
    ] {
        let found = run_with(&mut batch(&world, "echo", args.iter().copied()), b"");
        assert_eq!(found.exit, Some(2), "{args:?}");
        assert!(found.stderr.starts_with(&format!("error: {error}\n")), "{args:?}: {}", found.stderr);
    }
    assert_eq!((files.read("there"), Path::new(&files.path("there.started")).exists()), ("notes\n".to_owned(), false));
    assert!(world.mock.requests().is_empty());
}

/// What runs again, and what does not: by what happened, what is resumed how, and how often each of the four lines ran.
#[test]
fn a_batch_is_resumed() {
    let (world, files) = (World::with(Mock::builder().agent("moody", moody)), Files::new("resume"));
    let lines = "{\"prompt\": \"hi\"}\n{\"prompt\": \"fail\"}\n{\"prompt\": \"refuse\"}\n{\"prompt\": \"ho\"}\n";
    let (path, out) = (files.write("lines", lines), files.path("out"));
    let resume = |flags: &[&'static str]| {
        let ended = run(&mut batch(&world, "moody", [&*path, "--out", &out].into_iter().chain(flags.iter().copied())));
        let mut ran: Vec<_> = world
            .mock
            .take_requests()
            .iter()
            .map(|request| serde_json::from_slice::<Value>(&request.body).unwrap()["prompt"].clone())
            .collect();
        ran.sort_by_key(Value::to_string);
        (ended, ran)
    };
    let (first, ran) = resume(&[]);
    assert_eq!((first.exit, &*first.stdout, ran.len()), (Some(6), "", 4));
    let said: Vec<_> = first.stderr.lines().collect();
    let hint =
        "  hint: --resume sends 1 of them again, and with --rerun-uncertain also the 1 whose agents may have run";
    assert_eq!((said[0], said[2]), ("error: 2 of 4 lines failed", hint));
    let (second, ran) = resume(&["--resume"]);
    assert_eq!((second.exit, ran), (Some(6), vec![json!("refuse")]));
    let (third, ran) = resume(&["--resume", "--rerun-uncertain"]);
    assert_eq!((third.exit, ran), (Some(6), vec![json!("fail"), json!("refuse")]));
    let (rows, newest) = files.rows("out");
    assert_eq!((rows.len(), newest.len()), (7, 4));
    assert_eq!(files.read("out.started").lines().count(), 1 + 7);
    // What has changed is not what was begun, were it only the order.
    for changed in
        ["", "{\"prompt\": \"hi\"}\n", &lines.replace("ho", "hu"), &format!("{lines}{{\"prompt\": \"more\"}}\n")]
    {
        files.write("lines", changed);
        let (refused, ran) = resume(&["--resume"]);
        assert_eq!((refused.exit, ran.len()), (Some(2), 0), "{changed}");
        assert_eq!(refused.stderr, format!("error: the inputs are not those with which {out:?} was begun\n"));
    }
    // The same lines by a pipe, without the last line's end, are the same.
    let found = run_with(&mut batch(&world, "moody", ["--out", &out, "--resume"]), lines.trim_end().as_bytes());
    assert_eq!(found.exit, Some(6), "{}", found.stderr);
}

#[test]
fn lines_of_one_session_are_sent_in_their_order() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let seen = order.clone();
    let world = World::with(Mock::builder().agent("order", move |request: AgentRequest| {
        let line: u64 = request.prompt().unwrap().parse().unwrap();
        let seen = seen.clone();
        async move {
            seen.lock().unwrap().push(line);
            tokio::time::sleep(Duration::from_millis(10 - line)).await;
            seen.lock().unwrap().push(line);
            AgentResponse::json(line)
        }
    }));
    let lines: String =
        (1..=5).map(|line| format!("{{\"prompt\": \"{line}\", \"session_id\": \"{SESSION}\"}}\n")).collect();
    let found = run_with(&mut batch(&world, "order", []), lines.as_bytes());
    assert_eq!(found.exit, Some(0), "{}", found.stderr);
    assert_eq!(*order.lock().unwrap(), [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
}

/// The mock's quota is that of the service: 25 new sessions a second.
#[test]
fn it_settles_below_the_throttle() {
    let world = World::with(Mock::builder().max_new_sessions_per_second(25));
    let found =
        run_with(batch(&world, "echo", ["--concurrency", "32"]).env_remove("AGENTCORE_RATE"), numbered(200).as_bytes());
    assert_eq!((found.exit, &*found.stderr), (Some(0), ""));
    let throttled: Vec<usize> = (0..)
        .zip(world.mock.requests())
        .filter(|(_, request)| request.error.is_some())
        .map(|(place, _)| place)
        .collect();
    assert!((1..=6).contains(&throttled.len()), "{throttled:?}");
    // Once the limit is known it is not met, unless this machine was busy.
    assert!(throttled.iter().filter(|place| **place >= 80).count() <= 1, "{throttled:?}");
    let attempts: u64 = rows(&found.stdout).iter().map(|row| row["attempts"].as_u64().unwrap()).sum();
    assert_eq!(attempts as usize, 200 + throttled.len());
}

#[test]
fn a_rate_of_the_users_own_is_kept() {
    let world = World::new();
    let begun = Instant::now();
    let found = run_with(&mut batch(&world, "echo", ["--rate", "20"]), numbered(21).as_bytes());
    assert_eq!(found.exit, Some(0));
    // Twenty times 50 ms, less what a timer may be late.
    assert!(begun.elapsed() >= Duration::from_millis(950), "{:?}", begun.elapsed());
    let throttled = run_with(&mut batch(&world, "throttle-1", ["--no-retry"]), numbered(1).as_bytes());
    let rows = rows(&throttled.stdout);
    assert_eq!(
        (throttled.exit, &rows[0]["error"]["kind"], &rows[0]["attempts"]),
        (Some(6), &json!("unavailable"), &json!(1))
    );
}

#[test]
fn the_embedded_mock_takes_it_too() {
    let found = run_with(&mut acore(["--mock", "batch"]), b"{\"prompt\": \"hi\"}\n");
    assert_eq!((found.exit, &*found.stderr), (Some(0), ""));
}
