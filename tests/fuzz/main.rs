//! Hostile input: whatever is parsed gets inputs that nobody foresaw, and nothing may panic or contradict itself.
//!
//! Each target starts from good inputs and damages them. It runs for a number of inputs, or for `AGENTCORE_FUZZ_SECONDS`; a failure
//! prints what `AGENTCORE_FUZZ_SEED` repeats it. A program of its own, because it watches the panics of every thread.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "a table for who runs it by hand")]

/// Good inputs, damaged.
mod mutate;

/// Texts of agents, beside a naive reader.
mod dialects;

/// What is parsed without asking anybody: names, events, frames, tokens, signatures.
mod parsers;

/// What issuers of tokens answer.
mod issuers;

/// What the machine says: variables and profile files.
#[cfg(unix)]
mod environment;

/// What servers answer: HTTP, and WebSockets after the upgrade.
mod servers;

use std::{
    any::Any,
    env,
    panic::{self, AssertUnwindSafe},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use fastrand::Rng;

/// Something that reads input.
struct Target {
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    /// How many inputs it gets where no time is given.
    inputs: u32,
    /// Takes an input, with chance of its own. A panic is a failure, in whatever thread.
    read: Box<Read>,
}

type Read = dyn Fn(&[u8], &mut Rng);

#[test]
fn no_input_makes_anything_panic() {
    panic::set_hook(Box::new(|panic| PANICS.lock().unwrap_or_else(PoisonError::into_inner).push(panic.to_string())));
    let seconds = env::var("AGENTCORE_FUZZ_SECONDS").ok().map(|text| Duration::from_secs_f64(text.parse().unwrap()));
    let seed = env::var("AGENTCORE_FUZZ_SEED").map_or_else(|_| fastrand::u64(..), |text| text.parse().unwrap());
    let only = env::var("AGENTCORE_FUZZ_TARGET").ok();
    let mut failures = Vec::new();
    println!("seed {seed}\n{:<28} {:>9} {:>8}", "target", "inputs", "ms");
    let targets =
        parsers::targets().into_iter().chain(dialects::targets()).chain(issuers::targets()).chain(servers::targets());
    #[cfg(unix)]
    let targets = targets.chain(environment::targets());
    for target in targets.filter(|target| only.as_deref().is_none_or(|only| target.name.contains(only))) {
        let begun = Instant::now();
        let mut inputs = 0;
        let mut random = Rng::with_seed(seed);
        while seconds.map_or(inputs < target.inputs, |most| begun.elapsed() < most) {
            let input = if inputs == 0 { target.seeds.concat() } else { mutate::mutate(&target.seeds, &mut random) };
            let chance = random.fork();
            inputs += 1;
            if let Some(failure) = failure(&target, &input, &chance) {
                let input = mutate::shrink(input, |input| self::failure(&target, input, &chance).is_some());
                failures.push(format!("{}: {failure}\n  input: {}", target.name, input.escape_ascii()));
                break;
            }
        }
        println!("{:<28} {inputs:>9} {:>8}", target.name, begun.elapsed().as_millis());
    }
    let _ = panic::take_hook();
    assert!(failures.is_empty(), "with AGENTCORE_FUZZ_SEED={seed}:\n{}", failures.join("\n"));
}

static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Returns the panic that an input causes, here or in a thread.
fn failure(target: &Target, input: &[u8], chance: &Rng) -> Option<String> {
    let outcome: Result<(), Box<dyn Any + Send>> =
        panic::catch_unwind(AssertUnwindSafe(|| (target.read)(input, &mut chance.clone())));
    let panics = std::mem::take(&mut *PANICS.lock().unwrap_or_else(PoisonError::into_inner));
    panics.into_iter().next().or_else(|| outcome.err().map(|_| "a panic without a message".to_owned()))
}

/// Returns seeds from texts.
fn texts<const N: usize>(texts: [&str; N]) -> Vec<Vec<u8>> {
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

/// Cuts the input into pieces.
fn cut(input: &[u8], random: &mut Rng) -> Vec<Vec<u8>> {
    let mut cuts: Vec<usize> = (0..random.usize(1..6)).map(|_| random.usize(..=input.len())).collect();
    cuts.extend([0, input.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|ends| input[ends[0]..ends[1]].to_vec()).collect()
}
