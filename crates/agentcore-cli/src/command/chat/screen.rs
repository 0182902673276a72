//! What is seen of an answer: its text on standard output, everything else on standard error and on terminals only.
//!
//! A terminal gets Markdown rendered and control characters as pictures; a pipe gets the agent's text byte for byte.

use std::{
    io::{IsTerminal as _, Write as _},
    time::Duration,
};

use agentcore_client::{Event, ToolResult, ToolUse};
use clap::builder::styling::Style;

use super::{
    answer::Statistics,
    input::{COMMAND_COLUMNS, COMMANDS, KEYS},
    markdown::Markdown,
    text::{clean, clip},
    wrap::{Wrap, wrapped, wrapped_cell},
};
use crate::{
    errors::{Exit, Failure},
    output::{Output, note},
    progress::Spinner,
    terminal::{columns, is_dumb},
};

/// Where an answer is shown, from its beginning to its end.
pub(super) struct Screen {
    output: Output,
    form: Form,
    /// Whether standard error is a terminal, where people look on.
    aside: bool,
    /// Whether a line of standard error is open.
    aside_open: bool,
    /// The calls of tools whose input is not complete: id, name, input.
    calls: Vec<(String, String, String)>,
    spinner: Option<Spinner>,
    /// Where the agent's reasoning is in its line.
    thoughts: Wrap,
}

/// How text is written.
enum Form {
    /// As it came.
    Pipe,
    /// Clean, with line breaks where they fit.
    Terminal(Box<Markdown>),
}

impl Screen {
    /// Looks where the streams go.
    pub(super) fn new() -> Self {
        let stdout = std::io::stdout();
        let form = if !stdout.is_terminal() {
            Form::Pipe
        } else {
            // Without styles, Markdown is its own best rendering.
            Form::Terminal(Box::new(Markdown::new(
                anstream::AutoStream::choice(&stdout) == anstream::ColorChoice::Never,
            )))
        };
        let aside = std::io::stderr().is_terminal();
        let (output, calls, thoughts) = (Output::default(), Vec::new(), Wrap::default());
        Self { output, form, aside, aside_open: false, calls, spinner: None, thoughts }
    }

    /// Shows that the agent is being waited for.
    pub(super) fn wait(&mut self, what: &'static str) {
        self.spinner = Some(Spinner::start(what));
    }

    /// Says that the agent is at work on something else, and is being waited for.
    pub(super) fn busy(&mut self) {
        self.spinner = None;
        self.note("the session is busy: the agent is at work on an earlier prompt; waiting until it is done");
        self.wait(WAITING);
    }

    /// Shows a piece of the answer's text.
    pub(super) fn text(&mut self, text: &str) -> Result<(), Failure> {
        let shown = match &mut self.form {
            Form::Pipe => {
                self.spinner = None;
                return self.output.write(text.as_bytes());
            }
            Form::Terminal(markdown) => {
                markdown.resize(columns_to_wrap());
                let shown = markdown.push(&clean(text));
                if shown.is_empty() && markdown.holds_table() {
                    self.end_aside();
                    self.spinner.get_or_insert_with(|| Spinner::start(TABLE));
                    return Ok(());
                }
                shown
            }
        };
        self.spinner = None;
        self.end_aside();
        self.output.write(shown.as_bytes())
    }

    /// Shows what an agent does besides its text.
    pub(super) fn event(&mut self, event: &Event) -> Result<(), Failure> {
        match event {
            Event::Text(text) => self.text(text),
            Event::Reasoning(text) => self.thought(text),
            Event::ToolUse(call) => self.call(call),
            Event::ToolResult(result) => self.result(result),
            _ => Ok(()),
        }
    }

    /// Writes a note beside the output.
    pub(super) fn note(&self, text: &str) {
        if !self.aside {
            return note(text);
        }
        let line = wrapped(&format!("note: {text}\n"), columns_to_wrap());
        // There is nobody to tell that standard error is gone.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }

    /// Writes what there is to be said besides prompts.
    pub(super) fn help(&mut self) -> Result<(), Failure> {
        let columns = if matches!(self.form, Form::Pipe) { 0 } else { columns_to_wrap() };
        let room = columns.saturating_sub(COMMAND_COLUMNS + 1);
        let indent = format!("\n{:COMMAND_COLUMNS$}", "");
        for (command, what) in COMMANDS {
            self.line(&match (columns, room) {
                (0, _) => format!("{command:COMMAND_COLUMNS$}{what}"),
                (_, ..COMMAND_COLUMNS) => wrapped(&format!("{command}\n  {what}"), columns),
                _ => format!("{command:COMMAND_COLUMNS$}{}", wrapped_cell(what, room).replace('\n', &indent)),
            })?;
        }
        self.line(&wrapped(KEYS, columns))
    }

    /// Writes a line that was asked for.
    pub(super) fn line(&mut self, line: &str) -> Result<(), Failure> {
        self.end_text()?;
        self.output.line(line)
    }

    /// Ends what is open, at the end of an answer or where it broke off.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        self.spinner = None;
        for (_, name, input) in std::mem::take(&mut self.calls) {
            self.aside_line(&format!("⚙ {name}({input})"))?;
        }
        self.end_aside();
        self.end_text()?;
        if let Form::Terminal(markdown) = &mut self.form {
            markdown.reset();
        }
        self.thoughts.reset();
        Ok(())
    }

    /// Reports a failure on a line of its own.
    pub(super) fn fail(&mut self, failure: &Failure) -> Result<Exit, Failure> {
        self.spinner = None;
        self.end_aside();
        self.interrupt_text()?;
        let columns = if self.aside { columns_to_wrap() } else { 0 };
        Ok(failure.report_as(|lines| wrapped(&lines, columns)))
    }

    /// Shows how long the answer took, and how much it was.
    pub(super) fn statistics(&self, statistics: &Statistics) {
        let first = statistics.first_event.map(|first| format!("{} to first event · ", seconds(first)));
        let plural = if statistics.events == 1 { "" } else { "s" };
        let (first, whole) = (first.unwrap_or_default(), seconds(statistics.duration));
        let line = format!("{first}{whole} · {} event{plural}\n", statistics.events);
        self.aside(&wrapped(&line, columns_to_wrap()));
    }

    fn thought(&mut self, text: &str) -> Result<(), Failure> {
        if !self.aside || text.is_empty() {
            return Ok(());
        }
        self.spinner = None;
        self.interrupt_text()?;
        let mut shown = String::new();
        self.thoughts.resize(columns_to_wrap());
        self.thoughts.push(&clean(text), false, &mut shown);
        self.aside(&shown);
        self.aside_open = !shown.ends_with('\n');
        Ok(())
    }

    fn call(&mut self, call: &ToolUse) -> Result<(), Failure> {
        let known = self.calls.iter().position(|(id, name, _)| *id == *call.id && *name == *call.name);
        let index = known.unwrap_or_else(|| {
            self.calls.push((call.id.to_string(), call.name.to_string(), String::new()));
            self.calls.len() - 1
        });
        let input = &mut self.calls[index].2;
        if input.len() < MAX_INPUT_BYTES {
            input.push_str(&call.input);
        }
        if !call.last {
            return Ok(());
        }
        let (_, name, input) = self.calls.remove(index);
        self.aside_line(&format!("⚙ {name}({input})"))
    }

    /// A result that fits is shown, and a longer one is the agent's affair; a failure is worth its beginning.
    fn result(&mut self, result: &ToolResult) -> Result<(), Failure> {
        let content = result.content.trim();
        let fits = !content.is_empty() && !content.contains('\n') && content.chars().count() + 4 < columns();
        match result.failed {
            true => self.aside_line(&format!("  ↳ failed: {content}")),
            false if fits => self.aside_line(&format!("  ↳ {content}")),
            false => Ok(()),
        }
    }

    fn aside_line(&mut self, line: &str) -> Result<(), Failure> {
        if !self.aside {
            return Ok(());
        }
        self.spinner = None;
        self.end_aside();
        self.interrupt_text()?;
        let indent = line.len() - line.trim_start().len();
        self.aside(&format!("{}{}\n", &line[..indent], clip(line, columns().saturating_sub(indent + 1))));
        self.wait(WAITING);
        Ok(())
    }

    /// Writes beside the output, dim. There is nobody to tell that standard error is gone.
    fn aside(&self, text: &str) {
        if self.aside {
            let dim = Style::new().dimmed();
            let _ = anstream::stderr().write_all(format!("{dim}{text}{dim:#}").as_bytes());
        }
    }

    fn end_aside(&mut self) {
        self.thoughts.reset();
        if std::mem::take(&mut self.aside_open) {
            let _ = std::io::stderr().write_all(b"\n");
        }
    }

    /// Ends the line of the text where it may be seen beside what comes now.
    fn interrupt_text(&mut self) -> Result<(), Failure> {
        if matches!(self.form, Form::Pipe) { Ok(()) } else { self.end_text() }
    }

    /// Shows what was held back, and ends the line of the text.
    fn end_text(&mut self) -> Result<(), Failure> {
        if let Form::Terminal(markdown) = &mut self.form {
            self.output.write(markdown.finish().as_bytes())?;
        }
        self.output.end_line()
    }
}

/// How wide the terminal is, or 0 where it can take back no word.
fn columns_to_wrap() -> usize {
    if is_dumb() { 0 } else { columns() }
}

fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 10.0 { format!("{seconds:.2} s") } else { format!("{seconds:.1} s") }
}

pub(super) const WAITING: &str = "waiting for the agent";
/// While the columns of a table are not known.
const TABLE: &str = "a table is coming";
/// No terminal is wider.
const MAX_INPUT_BYTES: usize = 4_096;
