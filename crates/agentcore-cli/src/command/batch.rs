//! `acore batch`: many invocations, one for each line of a file. Which are sent and when is the library's to decide.

mod bar;
mod lines;
mod request;
mod row;
mod run;
mod spool;

use std::{path::PathBuf, time::Duration};

use agentcore_client::{Journal, RateLimiter};
use clap::{ArgAction, Args, value_parser};

use crate::{context::Context, errors::Failure, flags::RequestFlags, input, signal};
use lines::Input;
use run::{Run, Sink};

/// Invokes an agent for each line of a file, many at a time
///
/// Prints a line for each as it ends, or keeps them in a file, so that a batch can be resumed
#[derive(Args)]
#[command(next_help_heading = "What to say", after_help = AFTER_HELP)]
pub(super) struct BatchFlags {
    /// The file, a JSON object a line: {"prompt" or "payload", "id", "session_id"}; `-`, or no file and a pipe, is standard input
    #[arg(help_heading = None::<&str>)]
    file: Option<PathBuf>,
    /// Lines under way at a time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = value_parser!(u16).range(1..), help_heading = "How fast")]
    concurrency: u16,
    /// The most lines that are begun in a second [default: as many as the service takes]
    #[arg(long, value_name = "PER_SECOND", value_parser = rate, help_heading = "How fast")]
    rate: Option<Duration>,
    /// A new file for the answers, which can be resumed by --resume; FILE.started is written beside it
    #[arg(long, value_name = "FILE", help_heading = "The answers")]
    out: Option<PathBuf>,
    /// Goes on with --out: leaves out the lines that ended well, and those whose agent may have run
    #[arg(long, action = ArgAction::SetTrue, help_heading = "The answers")]
    resume: bool,
    /// With --resume: makes the lines again that failed and whose agent may have run
    #[arg(long, action = ArgAction::SetTrue, help_heading = "The answers")]
    rerun_uncertain: bool,
    #[command(flatten)]
    request: RequestFlags,
}

impl BatchFlags {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let Self { file, concurrency, rate, out, resume, rerun_uncertain, request } = self;
        let kept = Kept::of(out, resume, rerun_uncertain)?;
        let route = context.route()?;
        let trace = request.asks_for_trace()?;
        let stdin_taken = route.reads_stdin();
        let input = input::blocking(move || Input::open(file, stdin_taken)).await?;
        let agent = route.connect(|client| client.lenient_sse(request.is_lenient())).await?;
        let sink = match &kept {
            None => Sink::standard_output(),
            Some(kept) => Sink::journal(kept.open(&input)?, kept.path.clone()),
        };
        let limiter = rate.map_or_else(RateLimiter::new, |per| RateLimiter::at_most(1, per));
        let _notice = signal::notice(match kept {
            None => "interrupted; the agents of the lines under way may go on working",
            Some(_) => {
                "interrupted; the agents of the lines under way may go on working; --resume goes on with the other lines"
            }
        });
        Run::begin(&agent, input, (request, trace), sink, &limiter, concurrency.into())?.drive().await
    }
}

/// Where the answers are kept.
struct Kept {
    path: PathBuf,
    resume: bool,
    rerun_uncertain: bool,
}

impl Kept {
    fn of(out: Option<PathBuf>, resume: bool, rerun_uncertain: bool) -> Result<Option<Self>, Failure> {
        if rerun_uncertain && !resume {
            return Err(Failure::usage("--rerun-uncertain is for --resume"));
        }
        let Some(path) = out else {
            return match resume {
                true => Err(Failure::usage("--resume goes on with the file of --out, and none is given")),
                false => Ok(None),
            };
        };
        let kept = Self { path, resume, rerun_uncertain };
        // Before anything is read or asked for.
        if kept.is_in_the_way() {
            let message = format!("{:?} exists, and is not overwritten", kept.path);
            return Err(Failure::usage(message).hint("--resume goes on with it"));
        }
        Ok(Some(kept))
    }

    fn is_in_the_way(&self) -> bool {
        !self.resume && self.path.symlink_metadata().is_ok()
    }

    fn open(&self, input: &Input) -> Result<Journal, Failure> {
        let journal = match self.resume {
            true => Journal::resume(&self.path, input.digest())?,
            false => Journal::create(&self.path, input.digest())?,
        };
        Ok(journal.rerun_uncertain(self.rerun_uncertain))
    }
}

/// Parses a number of lines a second, and returns the time between two.
fn rate(text: &str) -> Result<Duration, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate > 0.0);
    let between = rate.and_then(|rate| Duration::try_from_secs_f64(1.0 / rate).ok());
    between.ok_or_else(|| "it must be a number above 0".to_owned())
}

const AFTER_HELP: &str = "\
Each answer is a JSON object on a line: line, id, text, json, session_id, status, request_id, elapsed_ms, attempts, usage, error.
A line is in a session of its own unless it names one; the lines of one session are sent one after the other.

Examples:
  acore --mock batch questions.jsonl
  acore batch --sigv4 --concurrency 32 --out answers.jsonl questions.jsonl
  acore batch --sigv4 --out answers.jsonl --resume questions.jsonl
  jq -c '{prompt: .question, id}' data.jsonl | acore batch --sigv4 --rate 5";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        let ms = Duration::from_millis;
        for (text, between) in [
            ("25", Some(ms(40))),
            ("0.5", Some(ms(2000))),
            ("1e-3", Some(ms(1_000_000))),
            ("0", None),
            ("-1", None),
            ("inf", None),
            ("NaN", None),
            ("1e-300", None),
            ("25/s", None),
            ("", None),
        ] {
            assert_eq!(rate(text).ok(), between, "{text}");
        }
    }
}
