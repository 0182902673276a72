//! What is sent: a prompt or a JSON body, from an argument, a file or standard input. Checks it before anything is sent.

use std::io::{IsTerminal, Read};

use agentcore_client::{Payload, unicode};
use clap::Args;

use crate::{errors::Failure, flags::Sourced, input};

/// The flags that say what is sent.
#[derive(Args)]
#[group(skip)]
pub(super) struct PayloadFlags {
    /// What to say to the agent; `-`, or no prompt and a pipe, reads standard input
    #[arg(help_heading = None::<&str>)]
    prompt: Option<String>,
    /// A body of your own, sent as it is, in place of {"prompt", "sessionId", "enableTrace"}; `-` is standard input
    #[arg(long, value_name = "JSON|@FILE|-")]
    payload: Option<Sourced<String>>,
}

impl PayloadFlags {
    /// Returns whether a prompt is said, and not a body given.
    pub(super) fn is_prompt(&self) -> bool {
        self.prompt.is_some() || self.payload.is_none()
    }

    /// Reads the payload from where it is, which cannot be standard input if the token is read from there.
    pub(super) async fn payload(self, stdin_taken: bool) -> Result<Payload, Failure> {
        let terminal = std::io::stdin().is_terminal();
        input::blocking(move || self.read(std::io::stdin().lock(), terminal, stdin_taken)).await
    }

    fn read(self, stdin: impl Read, terminal: bool, stdin_taken: bool) -> Result<Payload, Failure> {
        let from_stdin = |what: &str| {
            if stdin_taken {
                return Err(Failure::usage(format!(
                    "standard input holds the token, so the {what} cannot be read from it"
                )));
            }
            input::all(stdin, &format!("cannot read the {what} from standard input"))
        };
        match (self.prompt, self.payload) {
            (Some(_), Some(payload)) if payload.source.is_flag() => {
                Err(Failure::usage("a prompt and --payload exclude each other: one of them is what is sent"))
            }
            (Some(prompt), _) if prompt == "-" => prompt_text(from_stdin("prompt")?),
            (Some(prompt), _) => prompt_text(prompt.into_bytes()),
            (None, Some(payload)) => {
                let bytes = match payload.value.strip_prefix('@') {
                    _ if payload.value == "-" => from_stdin("payload")?,
                    Some(path) => input::file(path, &format!("cannot read the payload from the file {path:?}"))?,
                    None => payload.value.into_bytes(),
                };
                Ok(Payload::json_text(bytes)?)
            }
            (None, None) if terminal || stdin_taken => Err(Failure::usage("there is nothing to say to the agent")
                .hint("give a prompt as an argument or by a pipe, or a JSON body of your own by --payload")),
            (None, None) => prompt_text(from_stdin("prompt")?),
        }
    }
}

fn prompt_text(bytes: Vec<u8>) -> Result<Payload, Failure> {
    let text = unicode::text(&bytes).map_err(|rule| Failure::usage("the prompt is no text").caused_by(&rule))?;
    // The line break that ends a piped line is the pipe's, not the prompt's.
    let text = input::without_line_break(text);
    if text.is_empty() {
        return Err(
            Failure::usage("the prompt is empty").hint("--payload '{\"prompt\": \"\"}' says nothing on purpose")
        );
    }
    Ok(Payload::prompt(text))
}

#[cfg(test)]
mod tests;
