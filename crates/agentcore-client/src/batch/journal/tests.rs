//! Journals in files of a directory of their own: what is refused, what is cut off, and what is known after each kind of end.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use serde_json::json;

use super::*;

/// A directory of one test, removed at its end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("agentcore-{}", crate::SessionId::random().as_str()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn outcomes(&self) -> PathBuf {
        self.0.join("out.jsonl")
    }

    fn started(&self) -> PathBuf {
        self.0.join("out.jsonl.started")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn inputs(count: usize) -> InputDigest {
    (0..count).map(|input| input.to_string()).collect()
}

/// The outcome of a line: `s` succeeded, `f` failed and did not run, `u` failed and may have run.
fn outcome(line: usize, how: char) -> serde_json::Value {
    let error = |may_have_run| json!({"kind": "x", "message": "", "may_have_run": may_have_run});
    json!({"line": line, "text": "", "error": match how { 's' => json!(null), 'f' => error(false), _ => error(true) }})
}

fn refusal(journal: Result<Journal, Error>) -> String {
    let error = journal.unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Input);
    error.to_string()
}

#[test]
fn the_two_files() {
    let directory = Directory::new();
    let journal = Journal::create(directory.outcomes(), &inputs(3)).unwrap();
    journal.begin(1).unwrap();
    journal.begin(0).unwrap();
    journal.record(1, &outcome(2, 's')).unwrap();
    let header = inputs(3).header();
    assert_eq!(fs::read_to_string(directory.started()).unwrap(), format!("{header}2\n1\n"));
    assert_eq!(fs::read_to_string(directory.outcomes()).unwrap(), "{\"error\":null,\"line\":2,\"text\":\"\"}\n");
}

/// What was begun (`b`) and how each ended, a line each of three, and what is known of them when the journal is resumed.
#[test]
fn what_is_known_of_each_call() {
    type Case = (&'static str, &'static [&'static str], &'static [usize], &'static str, &'static str, (usize, usize));
    let table: [Case; 9] = [
        // what happened, the steps; interrupted, skipped, skipped with reruns, succeeded and uncertain
        ("nothing", &[], &[], "...", "...", (0, 0)),
        ("all well", &["b1", "b2", "b3", "s3", "s1", "s2"], &[], "sss", "sss", (3, 0)),
        ("one begun", &["b2"], &[1], ".s.", ".s.", (0, 0)),
        ("failed", &["b1", "f1"], &[], "...", "...", (0, 0)),
        ("uncertain", &["b1", "u1"], &[], "s..", "...", (0, 1)),
        ("again, well", &["b1", "u1", "b1", "s1"], &[], "s..", "s..", (1, 0)),
        ("again, worse", &["b1", "f1", "b1", "u1"], &[], "s..", "...", (0, 1)),
        ("again, begun", &["b1", "f1", "b1"], &[0], "s..", "s..", (0, 0)),
        ("recorded as interrupted", &["b1", "u1", "b2", "b3", "s3"], &[1], "sss", ".ss", (1, 1)),
    ];
    for (name, steps, interrupted, skipped, skipped_with_reruns, counts) in table {
        let directory = Directory::new();
        let journal = Journal::create(directory.outcomes(), &inputs(3)).unwrap();
        let run = |journal: &Journal| {
            for step in steps {
                let (how, line) = (step.chars().next().unwrap(), step[1..].parse::<usize>().unwrap());
                match how {
                    'b' => journal.begin(line - 1).unwrap(),
                    how => journal.record(line - 1, &outcome(line, how)).unwrap(),
                }
            }
        };
        run(&journal);
        let known = |journal: &Journal| {
            let skips = (0..3).map(|index| if journal.skips(index) { 's' } else { '.' }).collect::<String>();
            (journal.interrupted(), skips, (journal.succeeded(), journal.uncertain()))
        };
        let written = known(&journal);
        drop(journal);
        let journal = Journal::resume(directory.outcomes(), &inputs(3)).unwrap();
        assert_eq!(known(&journal), (interrupted.to_vec(), skipped.to_owned(), counts), "{name}");
        assert_eq!(known(&journal), written, "{name}: a journal knows what it would read");
        let journal = journal.rerun_uncertain(true);
        assert_eq!(known(&journal).1, skipped_with_reruns, "{name}");
    }
}

#[test]
fn what_is_torn_is_cut_off() {
    for (torn_started, torn_outcomes) in [("", ""), ("3", ""), ("", "{"), ("12", "{\"line\":3,\"error\":null}")] {
        let directory = Directory::new();
        let journal = Journal::create(directory.outcomes(), &inputs(3)).unwrap();
        journal.begin(0).unwrap();
        journal.record(0, &outcome(1, 's')).unwrap();
        journal.begin(1).unwrap();
        drop(journal);
        let whole = [directory.started(), directory.outcomes()].map(|path| fs::read_to_string(path).unwrap());
        fs::write(directory.started(), format!("{}{torn_started}", whole[0])).unwrap();
        fs::write(directory.outcomes(), format!("{}{torn_outcomes}", whole[1])).unwrap();
        let journal = Journal::resume(directory.outcomes(), &inputs(3)).unwrap();
        assert_eq!((journal.interrupted(), journal.skips(2)), (vec![1], false));
        assert_eq!([directory.started(), directory.outcomes()].map(|path| fs::read_to_string(path).unwrap()), whole);
        journal.record(1, &outcome(2, 'u')).unwrap();
        assert_eq!(fs::read_to_string(directory.outcomes()).unwrap().lines().count(), 2);
    }
}

/// A process that is killed while it makes the files.
#[test]
fn half_a_beginning_is_none() {
    let header = inputs(2).header();
    for (started, outcomes) in
        [("", None), (&header[..9], None), ("", Some("")), (&*header, None), (&*header, Some(""))]
    {
        let directory = Directory::new();
        fs::write(directory.started(), started).unwrap();
        if let Some(outcomes) = outcomes {
            fs::write(directory.outcomes(), outcomes).unwrap();
        }
        let journal = Journal::resume(directory.outcomes(), &inputs(2)).unwrap();
        journal.begin(1).unwrap();
        assert_eq!(fs::read_to_string(directory.started()).unwrap(), format!("{header}2\n"));
    }
}

#[test]
fn what_is_refused() {
    let directory = Directory::new();
    let (path, name) = (directory.outcomes(), format!("{:?}", directory.outcomes()));
    fs::write(&path, "").unwrap();
    assert_eq!(refusal(Journal::create(&path, &inputs(2))), format!("{name} exists, and is not overwritten"));
    assert!(!directory.started().exists(), "nothing is left beside it");

    let changed = format!("the inputs are not those with which {name} was begun");
    let not_begun = format!(
        "{name} cannot be resumed, because {:?} does not say with which inputs it was begun",
        directory.started()
    );
    let header = inputs(2).header();
    let first = "{\"line\":1,\"error\":null}\n";
    let no_outcome = |line: u32| format!("line {line} of {name} is no outcome of this batch");
    for (started, outcomes, message) in [
        (None, first, not_begun.clone()),
        (Some(String::new()), first, not_begun.clone()),
        (Some("1\n2\n".into()), "", not_begun.clone()),
        (Some(inputs(3).header()), "", changed.clone()),
        (Some(header.replace("sha256: ", "sha256: 0")), "", changed.clone()),
        (Some(format!("{header}3\n")), "", changed.clone()),
        (Some(format!("{header}0\n")), "", changed.clone()),
        (Some(format!("{header}x\n")), "", changed),
        (Some(header.clone()), "{\"line\":0,\"error\":null}\n", no_outcome(1)),
        (Some(header.clone()), "{\"line\":1,\"error\":null}\n{\"line\":3,\"error\":null}\n", no_outcome(2)),
        (Some(header.clone()), "{\"line\":1}\n", no_outcome(1)),
        (Some(header.clone()), "{\"line\":1,\"error\":{}}\n", no_outcome(1)),
        (Some(header.clone()), "{\"error\":null}\n", no_outcome(1)),
        (Some(header.clone()), "\n", no_outcome(1)),
        (Some(header), "some notes\n", no_outcome(1)),
    ] {
        let _ = fs::remove_file(directory.started());
        if let Some(started) = &started {
            fs::write(directory.started(), started).unwrap();
        }
        fs::write(&path, outcomes).unwrap();
        assert_eq!(refusal(Journal::resume(&path, &inputs(2))), message, "{started:?} {outcomes}");
        assert_eq!(fs::read_to_string(&path).unwrap(), outcomes, "what is refused is left as it is");
    }
    assert!(
        refusal(Journal::resume(&directory.0, &inputs(2)))
            .ends_with("is no regular file, so a batch cannot be resumed from it")
    );
    let nowhere = refusal(Journal::create(directory.0.join("no/out"), &inputs(2)));
    assert!(nowhere.starts_with("the outcomes of the batch cannot be kept in "), "{nowhere}");
}

#[test]
fn one_writer_at_a_time() {
    let directory = Directory::new();
    let path = directory.outcomes();
    let journal = Journal::create(&path, &inputs(2)).unwrap();
    let clone = journal.clone();
    drop(journal);
    assert_eq!(refusal(Journal::resume(&path, &inputs(2))), format!("another process writes {path:?}"));
    // One who removes the outcomes of a batch that runs takes nothing over.
    fs::remove_file(&path).unwrap();
    assert_eq!(refusal(Journal::create(&path, &inputs(2))), format!("another process writes {path:?}"));
    drop(clone);
    Journal::create(&path, &inputs(2)).unwrap();
}

#[test]
fn an_outcome_that_is_none_is_not_written() {
    let directory = Directory::new();
    let journal = Journal::create(directory.outcomes(), &inputs(2)).unwrap();
    for outcome in [
        json!({"line": 2, "error": null}),
        json!({"line": 1}),
        json!({"error": null}),
        json!(1),
        json!({"line": 1, "error": 5}),
    ] {
        assert!(journal.record(0, &outcome).is_err(), "{outcome}");
    }
    assert_eq!(fs::read_to_string(directory.outcomes()).unwrap(), "");
    assert!(journal.is_writable());
}

/// `/dev/full` is a disk without space.
#[cfg(target_os = "linux")]
#[test]
fn nothing_goes_on_after_a_write_that_failed() {
    let directory = Directory::new();
    let journal = Journal::create(directory.outcomes(), &inputs(2)).unwrap();
    journal.state().outcomes.file = OpenOptions::new().write(true).open("/dev/full").unwrap();
    journal.begin(0).unwrap();
    let error = journal.record(0, &outcome(1, 's')).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(!journal.is_writable());
    assert!(journal.begin(1).is_err());
    drop(journal);
    let journal = Journal::resume(directory.outcomes(), &inputs(2)).unwrap();
    assert_eq!(journal.interrupted(), [0]);
}
