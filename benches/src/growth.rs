//! What an input that is twice as large costs: instructions, as callgrind counts them, at four sizes of each input.

mod dialects;
mod inputs;

use std::{
    env, iter,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

pub(crate) use self::inputs::answer;
use crate::{
    Result,
    contender::Site,
    instructions::callgrind,
    place::{Place, Protocol},
    rounds,
    server::Server,
    stats,
};

/// Something that is read, in four sizes.
struct Subject {
    title: String,
    /// The least size, and what it is a number of.
    least: usize,
    unit: &'static str,
    read: Read,
}

/// Who reads an input of a size.
enum Read {
    /// A function of this program, which may ask the server.
    Here(Reader),
    /// `acore`, from the server, with this output.
    Program(&'static str),
}

type Reader = Box<dyn Fn(&Site, usize) -> Result<()> + Sync>;

/// Counts all subjects, of which some are read by `acore`, and writes the table.
///
/// # Errors
/// If a doubling costs more than 2.2 times as much.
pub(crate) fn table(program: &str) -> Result<String> {
    let server = Server::start(Protocol::Http1)?;
    let program = PathBuf::from(program).canonicalize()?;
    let subjects = subjects();
    let counted = all(&subjects, &server.place, &program)?;
    let mut table = INTRODUCTION.to_owned() + &stats::heading(&["what is read", "instructions", "×2", "×4", "×8"]);
    let mut faults = Vec::new();
    for (subject, counted) in subjects.iter().zip(counted) {
        // What is done without any input is taken off.
        let own: Vec<f64> = counted[1..].iter().map(|it| it - counted[0]).collect();
        let doublings: Vec<f64> = own.windows(2).map(|pair| pair[1] / pair[0]).collect();
        if !doublings.iter().all(|it| *it <= MOST) {
            faults.push(format!("{}: {doublings:.2?}", subject.title));
        }
        let least = format!("{:.1} million for {} {}", own[0] / 1e6, subject.least, subject.unit);
        let doublings = doublings.into_iter().map(stats::factor);
        table += &stats::cells([subject.title.clone(), least].into_iter().chain(doublings));
    }
    if faults.is_empty() { Ok(table) } else { Err(format!("{table}\n{GROWN}\n{}", faults.join("\n")).into()) }
}

/// The instructions that each subject takes at each size, several counted at a time.
fn all(subjects: &[Subject], place: &Place, program: &Path) -> Result<Vec<[f64; SIZES.len()]>> {
    let (next, counted) = (AtomicUsize::new(0), Mutex::new(vec![[0.0; SIZES.len()]; subjects.len()]));
    let work = || -> Result<()> {
        loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            let (number, size) = (job / SIZES.len(), job % SIZES.len());
            let Some(subject) = subjects.get(number) else { return Ok(()) };
            let own = count(subject, number, subject.least * SIZES[size], place, program)
                .map_err(|error| format!("{}: {error}", subject.title))?;
            counted.lock().unwrap_or_else(PoisonError::into_inner)[number][size] = own;
        }
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism()?.get();
        let workers: Vec<_> = iter::repeat_with(|| scope.spawn(work)).take(threads).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| Err("a count panicked".into())))
    })?;
    Ok(counted.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn count(subject: &Subject, number: usize, size: usize, place: &Place, program: &Path) -> Result<f64> {
    match subject.read {
        Read::Here(_) => {
            let arguments = [COMMAND.to_owned(), place.to_string(), number.to_string(), size.to_string()];
            callgrind(&env::current_exe()?, &arguments, &[])
        }
        Read::Program(output) => {
            let (url, arn) = (place.url(), inputs::arn("events", size));
            let arguments = ["invoke", "--arn", &arn, "--endpoint-url", &url, "--output", output, "Hello"];
            callgrind(program, &arguments.map(str::to_owned), &[("AGENTCORE_BEARER_TOKEN", "opaque")])
        }
    }
}

/// Does what is counted.
pub(crate) fn counted(place: &str, number: &str, size: &str) -> Result<String> {
    let subjects = subjects();
    let subject = subjects.get(number.parse::<usize>()?).ok_or("there is no such subject")?;
    let Read::Here(read) = &subject.read else { return Err("another program reads it".into()) };
    read(&Site::new(&place.parse()?), size.parse()?)?;
    Ok(String::new())
}

fn subjects() -> Vec<Subject> {
    let mut subjects = inputs::subjects();
    subjects.extend(dialects::subjects());
    // What little `raw` does depends on how much one read brings, which evens out.
    let outputs = [("text", 4_000), ("json", 4_000), ("events", 4_000), ("raw", 16_000)];
    subjects.extend(outputs.map(|(output, least)| Subject {
        title: format!("`acore invoke --output {output}`"),
        least,
        unit: "events",
        read: Read::Program(output),
    }));
    subjects
}

/// Runs a future of a subject.
fn wait<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    rounds::runtime()?.block_on(future)
}

/// The argument that makes this program read one input.
pub(crate) const COMMAND: &str = "grow";
/// Times the least size: nothing, and three doublings.
const SIZES: [usize; 5] = [0, 1, 2, 4, 8];
/// What twice the input may cost: some work is for powers of two, such as a buffer that grows.
const MOST: f64 = 2.2;
const GROWN: &str = "twice the input costs more than 2.2 times as much:";
const INTRODUCTION: &str = "\
Instructions for an input of the least size, without what the program does for none, and what each doubling of the input multiplies them by.

";

#[cfg(test)]
mod tests {
    use super::*;

    /// What needs no server.
    #[test]
    fn inputs_are_read_whole() {
        let place: Place = "http1,127.0.0.1:9,127.0.0.1:9,".parse().expect("it is one");
        let mut faults = Vec::new();
        for subject in inputs::subjects().into_iter().chain(dialects::subjects()) {
            let Read::Here(read) = &subject.read else { continue };
            if subject.title.starts_with('`') {
                continue;
            }
            for size in [0, 1, 2, 300] {
                faults.extend(read(&Site::new(&place), size).err().map(|error| format!("{}: {error}", subject.title)));
            }
        }
        assert!(faults.is_empty(), "{faults:#?}");
    }
}
