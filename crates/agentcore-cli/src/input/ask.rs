//! Questions to whoever sits at the terminal. Shows no secret that is typed.

use std::io::{IsTerminal, Write};

use super::read::blocking;
use crate::{errors::Failure, terminal::Unseen};

/// Asks at the terminal.
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

/// Asks at the terminal without showing what is typed.
pub(crate) async fn ask_secretly(question: &str) -> Result<String, Failure> {
    let question = question.to_owned();
    blocking(move || {
        at_terminal(&question)?;
        // Before the question is there, so that nothing of an answer that comes at once is shown.
        let _unseen = Unseen::enter();
        rpassword::prompt_password(&question).map_err(|error| no_answer(&error))
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
