//! The prompt of a terminal: a line that can be edited, and the lines of earlier conversations. Sends nothing.
//!
//! The editing is rustyline's; what is ours is where the history lies, what begins a new line within a prompt, and that a signal
//! finds the terminal as it was. What is typed while an answer comes is not echoed, and waits for the next prompt.

use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use rustyline::{
    Behavior, Cmd, ConditionalEventHandler, Config, DefaultEditor, Event, EventContext, EventHandler, KeyCode,
    KeyEvent, Modifiers, RepeatCount, error::ReadlineError,
};

use crate::{
    directories,
    errors::Failure,
    output::note,
    terminal::{self, Quiet},
};

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
    config: Config,
    continued: Continued,
    history: Option<PathBuf>,
    prompt: String,
    quiet: Quiet,
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
        let config = config.max_history_size(MAX_HISTORY_LINES).map_err(|error| unusable(&error))?.build();
        let continued = Continued::default();
        let mut editor = make(&config, &continued)?;
        let history = history.then(directories::state).flatten().map(|state| state.join("history"));
        if let Some(file) = &history {
            // The first conversation finds no file, and a broken one is no reason not to talk.
            let _ = editor.load_history(file);
        }
        Ok(Self { editor: Some(editor), config, continued, history, prompt, quiet: Quiet::enter() })
    }

    /// Forgets what was typed ahead, because Ctrl-C was pressed after it.
    pub(super) fn drop_typed_ahead(&mut self) -> Result<(), Failure> {
        // The terminal has dropped what it held. What rustyline has read goes only with its editor.
        if let Some(old) = &mut self.editor {
            let mut new = make(&self.config, &self.continued)?;
            std::mem::swap(new.history_mut(), old.history_mut());
            *old = new;
        }
        Ok(())
    }

    /// Asks for a line.
    pub(super) async fn ask(&mut self) -> Result<Asked, Failure> {
        let Some(mut editor) = self.editor.take() else { return Ok(Asked::End) };
        let _turn = terminal::turn().await;
        let prompt = self.prompt.clone();
        let raw = Raw { given_up: true };
        let own_lines = has_own_lines();
        let lifted = own_lines.then(|| self.quiet.lift());
        let asked = tokio::task::spawn_blocking(move || {
            let asked = if own_lines { read_own_lines(&mut editor, &prompt) } else { editor.readline(&prompt) };
            (editor, asked)
        });
        let (editor, asked) = asked.await.map_err(|error| Failure::internal("cannot read").caused_by(&error))?;
        raw.leave();
        drop(lifted);
        let asked = asked.map(|line| self.continued.join(line));
        self.editor = Some(editor);
        match asked {
            Ok(line) => {
                self.remember(&line);
                Ok(Asked::Line(line))
            }
            Err(ReadlineError::Interrupted) => {
                self.continued.join(String::new());
                Ok(Asked::Dropped)
            }
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

/// The terminal while rustyline has it; tidied when the wait for a line is given up, which rustyline does not notice. The modes are put
/// back by [`Quiet`].
struct Raw {
    given_up: bool,
}

impl Raw {
    fn leave(mut self) {
        self.given_up = false;
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if self.given_up {
            // There is nobody to tell that the terminal is gone.
            let _ = std::io::stderr().write_all(PASTE_OFF.as_bytes());
        }
    }
}

/// Makes an editor with its keys.
fn make(config: &Config, continued: &Continued) -> Result<DefaultEditor, Failure> {
    let mut editor = DefaultEditor::with_config(config.clone()).map_err(|error| unusable(&error))?;
    for (enter, modifiers) in [(KeyCode::Enter, Modifiers::NONE), (KeyCode::Char('J'), Modifiers::CTRL)] {
        let handler = EventHandler::Conditional(Box::new(continued.clone()));
        editor.bind_sequence(KeyEvent(enter, modifiers), handler);
        editor.bind_sequence(KeyEvent(enter, modifiers | Modifiers::ALT), Cmd::Newline);
    }
    Ok(editor)
}

/// Enter after a single backslash at the end of the line, which begins a new line. The backslashes go when the prompt is whole.
#[derive(Clone, Default)]
struct Continued(Arc<Mutex<Vec<String>>>);

impl Continued {
    /// Takes away the backslashes; those of a paste are the user's own.
    fn join(&self, mut line: String) -> String {
        let begun = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for begun in begun.into_iter().rev() {
            if line.strip_prefix(&begun).is_some_and(|rest| rest.starts_with('\n')) {
                line.remove(begun.len() - 1);
            }
        }
        line
    }
}

impl ConditionalEventHandler for Continued {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        let line = context.line();
        if context.pos() < line.len() || !is_continued(line) {
            return None;
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
        Some(Cmd::Newline)
    }
}

/// Reads a line that the terminal edits, and goes on after a backslash at its end.
fn read_own_lines(editor: &mut DefaultEditor, prompt: &str) -> rustyline::Result<String> {
    let mut line = editor.readline(prompt)?;
    while is_continued(&line) {
        line.pop();
        line.push('\n');
        match editor.readline("") {
            Ok(more) => line.push_str(&more),
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(line)
}

/// Whether a line ends with a backslash that takes its meaning from no other.
fn is_continued(line: &str) -> bool {
    !(line.len() - line.trim_end_matches('\\').len()).is_multiple_of(2)
}

/// Whether rustyline leaves editing to the terminal.
fn has_own_lines() -> bool {
    std::env::var("TERM").is_ok_and(|term| ["dumb", "cons25", "emacs"].iter().any(|it| term.eq_ignore_ascii_case(it)))
}

fn unusable(error: &ReadlineError) -> Failure {
    Failure::internal("cannot use the terminal").caused_by(error)
}

const PROMPT: &str = "› ";
const MAX_HISTORY_LINES: usize = 1_000;
/// xterm's bracketed paste, which rustyline switches on.
const PASTE_OFF: &str = "\u{1b}[?2004l";
