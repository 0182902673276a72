//! What is said to the agent, and secrets that come the same way: from an argument, a file or standard input.

mod lines;

use std::io::{IsTerminal, Read, Write};

use agentcore_client::Payload;

use crate::{args::Given, report::Failure};

pub(crate) use lines::lines;

/// Where words may come from.
pub(crate) struct Sources {
    pub(crate) prompt: Option<String>,
    pub(crate) payload: Option<Given<String>>,
}

impl Sources {
    /// Reads the payload from where it is, which cannot be standard input if that is `taken` by the token.
    pub(crate) async fn payload(self, taken: bool) -> Result<Payload, Failure> {
        let terminal = std::io::stdin().is_terminal();
        blocking(move || self.read(std::io::stdin().lock(), terminal, taken)).await
    }

    fn read(self, stdin: impl Read, terminal: bool, stdin_taken: bool) -> Result<Payload, Failure> {
        let from_stdin = |what: &str| {
            if stdin_taken {
                return Err(Failure::usage(format!(
                    "standard input holds the token, so the {what} cannot be read from it"
                )));
            }
            all(stdin, &format!("cannot read the {what} from standard input"))
        };
        match (self.prompt, self.payload) {
            (Some(_), Some(payload)) if payload.explicit => {
                Err(Failure::usage("a prompt and --payload exclude each other: one of them is what is sent"))
            }
            (Some(prompt), _) if prompt == "-" => prompt_text(from_stdin("prompt")?),
            (Some(prompt), _) => prompt_text(prompt.into_bytes()),
            (None, Some(payload)) => {
                let bytes = match payload.value.strip_prefix('@') {
                    _ if payload.value == "-" => from_stdin("payload")?,
                    Some(path) => file(path)?,
                    None => payload.value.into_bytes(),
                };
                Ok(Payload::json_text(bytes).map_err(agentcore_client::Error::from)?)
            }
            (None, None) if terminal || stdin_taken => Err(Failure::usage("there is nothing to say to the agent")
                .hint("give a prompt as an argument or by a pipe, or a JSON body of your own by --payload")),
            (None, None) => prompt_text(from_stdin("prompt")?),
        }
    }
}

/// The token on standard input.
pub(crate) async fn token() -> Result<String, Failure> {
    let bytes = blocking(|| all(std::io::stdin().lock(), "cannot read the token from standard input")).await?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::usage("invalid bearer token: it is not ASCII"))?;
    Ok(text.trim_ascii().to_owned())
}

/// What whoever sits at the terminal answers.
pub(crate) async fn ask(question: &str) -> Result<String, Failure> {
    let question = question.to_owned();
    blocking(move || {
        at_terminal(&question)?;
        write!(std::io::stderr(), "{question}").map_err(|error| no_answer(&error))?;
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map_err(|error| no_answer(&error))?;
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    })
    .await
}

/// The same, without showing what is typed.
pub(crate) async fn ask_secretly(question: &str) -> Result<String, Failure> {
    let question = question.to_owned();
    blocking(move || {
        at_terminal(&question)?;
        terminal::remember();
        let answer = rpassword::prompt_password(&question).map_err(|error| no_answer(&error));
        terminal::forget();
        answer
    })
    .await
}

/// Puts the terminal back, if a question or a prompt was interrupted that had changed it.
pub(crate) use terminal::{forget, remember, restore};

/// The terminal as it was before a secret was asked for, or a line edited: whoever waits for the answer cannot put it back when
/// a signal ends the program.
#[cfg(unix)]
mod terminal {
    use std::sync::{Mutex, PoisonError};

    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

    static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

    pub(crate) fn remember() {
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = tcgetattr(std::io::stdin()).ok();
    }

    pub(crate) fn forget() {
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn restore() {
        if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // There is nothing left to do about a terminal that is gone.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &before);
        }
    }
}

#[cfg(not(unix))]
mod terminal {
    pub(crate) fn remember() {}

    pub(crate) fn forget() {}

    pub(crate) fn restore() {}
}

fn at_terminal(question: &str) -> Result<(), Failure> {
    if std::io::stdin().is_terminal() {
        return Ok(());
    }
    let what = question.trim_end_matches([':', ' ']);
    Err(Failure::usage(format!("there is no terminal to ask at: {what}")))
}

fn no_answer(error: &std::io::Error) -> Failure {
    Failure::usage("the terminal gave no answer").caused_by(error)
}

fn prompt_text(bytes: Vec<u8>) -> Result<Payload, Failure> {
    let text = String::from_utf8(bytes).map_err(|_| Failure::usage("the prompt is not UTF-8"))?;
    // The line break that ends a piped line is the pipe's, not the prompt's.
    let text = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if text.is_empty() {
        return Err(
            Failure::usage("the prompt is empty").hint("--payload '{\"prompt\": \"\"}' says nothing on purpose")
        );
    }
    Ok(Payload::prompt(text))
}

fn file(path: &str) -> Result<Vec<u8>, Failure> {
    let failed = format!("cannot read the payload from the file {path:?}");
    let file = std::fs::File::open(path).map_err(|error| Failure::usage(failed.as_str()).caused_by(&error))?;
    all(file, &failed)
}

/// Reads to the end, but not more than one byte over what can be sent.
fn all(source: impl Read, failed: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let bound = Payload::MAX_BYTES as u64 + 1;
    source.take(bound).read_to_end(&mut bytes).map_err(|error| Failure::usage(failed).caused_by(&error))?;
    Ok(bytes)
}

/// Reads on a thread of its own, so that a signal is heard meanwhile.
async fn blocking<T: Send + 'static>(read: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(read).await {
        Ok(result) => result,
        Err(error) => Err(Failure::trouble("cannot read").caused_by(&error)),
    }
}

#[cfg(test)]
mod tests;
