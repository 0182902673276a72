//! What was said, for `/save`. Bounded: of a conversation without end the oldest turns are forgotten.

use std::{
    collections::VecDeque,
    fs::OpenOptions,
    io::{ErrorKind, Write as _},
    path::Path,
};

use agentcore_client::SessionId;

use crate::errors::Failure;

/// The turns of a conversation, over all of its sessions.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    turns: VecDeque<Turn>,
    bytes: usize,
    forgotten: bool,
}

#[derive(Debug)]
struct Turn {
    session: SessionId,
    prompt: String,
    answer: String,
}

impl Transcript {
    /// Begins a turn, whose answer is [heard](Self::hear) piece by piece.
    pub(super) fn say(&mut self, session: &SessionId, prompt: &str) {
        self.turns.push_back(Turn { session: session.clone(), prompt: prompt.to_owned(), answer: String::new() });
        self.count(prompt.len());
    }

    /// Adds to the answer of the last turn.
    pub(super) fn hear(&mut self, text: &str) {
        if let Some(turn) = self.turns.back_mut() {
            turn.answer.push_str(text);
            self.count(text.len());
        }
    }

    /// Adds why the answer of the last turn is not whole.
    pub(super) fn fail(&mut self, why: &str) {
        let line = why.split_whitespace().collect::<Vec<_>>().join(" ");
        self.hear(&format!("\n\n> **No whole answer:** {line}\n"));
    }

    /// Writes it as Markdown, over a file that exists only if `over` says so.
    pub(super) fn save(&self, path: &Path, over: bool) -> Result<(), Failure> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(!over).create(over).truncate(over);
        let written = options.open(path).and_then(|mut file| file.write_all(self.markdown().as_bytes()));
        written.map_err(|error| {
            let failure = Failure::usage(format!("cannot save to {}", path.display())).caused_by(&error);
            match error.kind() {
                ErrorKind::AlreadyExists => failure.hint("/save! overwrites a file"),
                _ => failure,
            }
        })
    }

    fn markdown(&self) -> String {
        let mut text = String::new();
        if self.forgotten {
            text.push_str("What was said before this was too long to be kept.\n\n");
        }
        let mut session = None;
        for turn in &self.turns {
            if session.replace(&turn.session) != Some(&turn.session) {
                text.push_str(&format!("# Session {}\n\n", turn.session.as_str()));
            }
            text.push_str(&format!("## You\n\n{}\n\n## Agent\n\n{}\n\n", turn.prompt.trim(), turn.answer.trim()));
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }

    fn count(&mut self, bytes: usize) {
        self.bytes += bytes;
        while self.bytes > MAX_BYTES && self.turns.len() > 1 {
            let oldest = self.turns.pop_front().map_or(0, |turn| turn.prompt.len() + turn.answer.len());
            self.bytes -= oldest;
            self.forgotten = true;
        }
    }
}

/// Days of talking. A turn larger than this is kept as long as it is the last.
const MAX_BYTES: usize = 64 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_and_turns_are_headings() {
        let (ada, bob) = (SessionId::derive("ada"), SessionId::derive("bob"));
        let mut transcript = Transcript::default();
        transcript.hear("nobody asked");
        assert_eq!(transcript.markdown(), "\n");
        transcript.say(&ada, "one?");
        transcript.hear("1");
        transcript.hear("!\n");
        transcript.say(&ada, "two?");
        transcript.say(&bob, "three?");
        transcript.hear("3");
        let expected = format!(
            "# Session {}\n\n## You\n\none?\n\n## Agent\n\n1!\n\n## You\n\ntwo?\n\n## Agent\n\n\n\n\
             # Session {}\n\n## You\n\nthree?\n\n## Agent\n\n3\n",
            ada.as_str(),
            bob.as_str()
        );
        assert_eq!(transcript.markdown(), expected);
    }

    #[test]
    fn the_oldest_turns_are_forgotten() {
        let session = SessionId::derive("ada");
        let mut transcript = Transcript::default();
        transcript.say(&session, "one?");
        transcript.hear(&"x".repeat(MAX_BYTES - 4));
        assert!(!transcript.forgotten);
        transcript.say(&session, "two?");
        assert_eq!((transcript.turns.len(), transcript.bytes, transcript.forgotten), (1, 4, true));
        transcript.hear(&"x".repeat(MAX_BYTES));
        assert_eq!((transcript.turns.len(), transcript.bytes), (1, MAX_BYTES + 4));
        assert!(transcript.markdown().starts_with("What was said before this was too long to be kept.\n\n# Session "));
    }
}
