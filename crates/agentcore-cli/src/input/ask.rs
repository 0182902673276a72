//! Questions to whoever sits at the terminal. Shows no secret that is typed.

use std::io::{IsTerminal, Write};

use super::read::blocking;
use crate::{
    errors::Failure,
    progress::hush,
    terminal::{Question, try_turn},
};

/// Asks at the terminal.
pub(crate) async fn ask(question: &str) -> Result<String, Failure> {
    put(question, true, |question| {
        write!(std::io::stderr(), "{question}")?;
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    })
    .await
}

/// Asks at the terminal without showing what is typed.
pub(crate) async fn ask_secretly(question: &str) -> Result<String, Failure> {
    put(question, false, |question| rpassword::prompt_password(question)).await
}

/// Asks while nobody else has the terminal, and nothing else is shown there. What is typed is shown or not before the question is there,
/// so that nothing of an answer that comes at once is shown.
async fn put(
    question: &str,
    shown: bool,
    ask: impl FnOnce(&str) -> std::io::Result<String> + Send + 'static,
) -> Result<String, Failure> {
    at_terminal(question)?;
    // A login that is renewed while an answer comes can wait for the next call.
    let turn = try_turn().ok_or_else(|| Failure::usage("the terminal is in use"))?;
    let question = question.to_owned();
    // Held by the thread that reads, which goes on where nobody waits for the answer any more.
    blocking(move || {
        let (_turn, _hush, _mode) = (turn, hush(), Question::enter(shown));
        ask(&question).map_err(|error| no_answer(&error))
    })
    .await
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
