//! The prompt of a terminal: a line that can be edited, and the lines of earlier conversations. Sends nothing.
//!
//! The editing is rustyline's; what is ours is where the history lies and that a signal finds the terminal as it was.

use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
};

use rustyline::{Behavior, Config, DefaultEditor, error::ReadlineError};

use crate::{directories, errors::Failure, output::note, terminal};

/// What came of asking for a line.
pub(super) enum Asked {
    Line(String),
    /// Ctrl-C, which drops the line.
    Dropped,
    /// Ctrl-D, or a terminal that is gone.
    End,
}

/// A prompt at a terminal.
pub(super) struct Editor {
    /// Away while a line is being edited.
    editor: Option<DefaultEditor>,
    history: Option<PathBuf>,
    prompt: String,
}

impl Editor {
    /// Makes it, with the history if there is one to be.
    pub(super) fn open(history: bool) -> Result<Self, Failure> {
        let prompt = if anstream::AutoStream::choice(&std::io::stdout()) == anstream::ColorChoice::Never {
            PROMPT.to_owned()
        } else {
            let style = clap::builder::styling::Style::new().bold();
            format!("{style}{PROMPT}{style:#}")
        };
        // The prompt is no part of the output where that goes elsewhere.
        let behavior = if std::io::stdout().is_terminal() { Behavior::Stdio } else { Behavior::PreferTerm };
        let config = Config::builder().behavior(behavior).history_ignore_space(true);
        let opened =
            config.max_history_size(MAX_HISTORY_LINES).and_then(|config| DefaultEditor::with_config(config.build()));
        let mut editor = opened.map_err(|error| Failure::internal("cannot use the terminal").caused_by(&error))?;
        let history = history.then(directories::state).flatten().map(|state| state.join("history"));
        if let Some(file) = &history {
            // The first conversation finds no file, and a broken one is no reason not to talk.
            let _ = editor.load_history(file);
        }
        Ok(Self { editor: Some(editor), history, prompt })
    }

    /// Asks for a line.
    pub(super) async fn ask(&mut self) -> Result<Asked, Failure> {
        let Some(mut editor) = self.editor.take() else { return Ok(Asked::End) };
        let prompt = self.prompt.clone();
        terminal::remember();
        let _raw = Raw;
        let asked = tokio::task::spawn_blocking(move || {
            let asked = editor.readline(&prompt);
            (editor, asked)
        });
        let (editor, asked) = asked.await.map_err(|error| Failure::internal("cannot read").caused_by(&error))?;
        terminal::forget();
        self.editor = Some(editor);
        match asked {
            Ok(line) => {
                self.remember(&line);
                Ok(Asked::Line(line))
            }
            Err(ReadlineError::Interrupted) => Ok(Asked::Dropped),
            Err(ReadlineError::Eof) => Ok(Asked::End),
            Err(error) => Err(Failure::internal("cannot read from the terminal").caused_by(&error)),
        }
    }

    /// Keeps a line at once: a conversation may end by a signal.
    fn remember(&mut self, line: &str) {
        let (Some(editor), false) = (&mut self.editor, line.trim().is_empty()) else { return };
        let Ok(true) = editor.add_history_entry(line) else { return };
        let Some(file) = &self.history else { return };
        let made = file.parent().map_or(Ok(()), directories::make_private);
        if let Err(error) = made.map_err(Into::into).and_then(|()| editor.append_history(file)) {
            note(&format!("the history is not kept: {error}"));
            self.history = None;
        }
    }
}

/// The terminal while rustyline has it; put back when the wait for a line is given up, which rustyline does not notice.
struct Raw;

impl Drop for Raw {
    fn drop(&mut self) {
        if terminal::restore() {
            // There is nobody to tell that the terminal is gone.
            let _ = std::io::stderr().write_all(PASTE_OFF.as_bytes());
        }
    }
}

const PROMPT: &str = "› ";
const MAX_HISTORY_LINES: usize = 1_000;
/// xterm's bracketed paste, which rustyline switches on.
const PASTE_OFF: &str = "\u{1b}[?2004l";
