//! The conversation itself: takes line after line, does what it says, and shows the answers. Knows no protocol.

use std::io::Write as _;

use agentcore_client::{Event, SessionId};
use tokio::sync::mpsc;

use super::{
    answer::AnswerPart,
    channel::Channel,
    editor::{Asked, Editor},
    input::Input,
    message::Message,
    questions::Questions,
    screen::{Screen, WAITING},
    transcript::Transcript,
};
use crate::{
    errors::{Exit, Failure},
    question::question,
    signal::Interrupts,
    terminal,
};

/// Where lines come from.
pub(super) enum Lines {
    /// A terminal, whose Ctrl-C is the conversation's.
    Typed(Box<Editor>, Interrupts),
    Piped(mpsc::Receiver<Result<String, Failure>>),
}

/// A conversation, in one session after the other.
pub(super) struct Conversation {
    channel: Channel,
    session: SessionId,
    screen: Screen,
    transcript: Transcript,
    /// What the agent asked with its last answer.
    questions: Questions,
    /// The session in which the last answer was stopped.
    stopped: Option<SessionId>,
    /// How the first failure would end the program.
    failed: Option<Exit>,
}

impl Conversation {
    pub(super) fn new(channel: Channel, session: SessionId) -> Self {
        Self {
            channel,
            session,
            screen: Screen::new(),
            transcript: Transcript::default(),
            questions: Questions::default(),
            stopped: None,
            failed: None,
        }
    }

    /// Says the first prompt, if there is one, and then the lines to their end. Who types has seen what failed; a pipe has not,
    /// and its conversation ends as its first failure would have.
    pub(super) async fn hold(mut self, mut lines: Lines, mut first: Option<String>) -> Result<(), Failure> {
        if matches!(lines, Lines::Typed(..)) {
            self.screen.note(&self.channel.agent());
            self.screen.note(&format!("session {}; /help says what there is", self.session.as_str()));
        }
        loop {
            let asked = match first.take() {
                Some(line) => Asked::Line(line),
                None => lines.next().await?,
            };
            let line = match asked {
                Asked::Line(line) => line,
                Asked::Dropped => continue,
                Asked::End => break,
            };
            match self.turn(&line, &mut lines).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(ended @ (Failure::OutputClosed | Failure::Reported(Exit::Interrupted))) => return Err(ended),
                Err(failure) => {
                    self.screen.end()?;
                    self.fail(&failure)?;
                }
            }
        }
        match (lines, self.failed) {
            (Lines::Piped(_), Some(exit)) => Err(Failure::Reported(exit)),
            _ => Ok(()),
        }
    }

    /// Does what a line says, and returns whether the conversation goes on.
    async fn turn(&mut self, line: &str, lines: &mut Lines) -> Result<bool, Failure> {
        match Input::read(line) {
            Input::Nothing => {}
            Input::Say(line) => {
                let (said, answers) = match self.questions.next() {
                    None => (line, None),
                    Some(_) => match self.questions.answer(&line, &self.session) {
                        Some((said, payload)) => (said, Some(payload)),
                        None => {
                            self.put_question();
                            return Ok(true);
                        }
                    },
                };
                let message = answers.as_ref().map_or(Message::Prompt(&said), Message::Answers);
                let answered = tokio::select! {
                    answered = self.answer(&said, &message) => Some(answered),
                    () = lines.interrupted() => None,
                };
                match answered {
                    Some(answered) => {
                        if let Err(failure) = &answered {
                            self.transcript.fail(&failure.summary().1);
                        }
                        answered?;
                    }
                    // Whoever gives up a question gives up the conversation: the line that is typed next would answer it.
                    None if terminal::try_turn().is_none() => {
                        // The shell's prompt belongs on a line of its own; there is nobody to tell that standard error is gone.
                        let _ = writeln!(std::io::stderr());
                        return Err(Failure::Reported(Exit::Interrupted));
                    }
                    None => {
                        self.stop()?;
                        lines.drop_typed_ahead()?;
                    }
                }
            }
            Input::Help => self.screen.help()?,
            Input::Session => self.screen.line(self.session.as_str())?,
            Input::New => {
                self.session = SessionId::random();
                self.questions.clear();
                self.screen.note(&format!("a new session: {}", self.session.as_str()));
            }
            Input::Save { path, over } => {
                self.transcript.save(&path, over)?;
                self.screen.note(&format!("saved to {}", path.display()));
            }
            Input::Quit => return Ok(false),
            Input::Wrong(why) => {
                return Err(Failure::usage(why)
                    .hint("/help lists the commands; a line that begins with // is said with one slash"));
            }
        }
        Ok(true)
    }

    /// Sends a message, which says so much, and shows the answer to its end. What the agent asks is put to whoever says the next line.
    async fn answer(&mut self, said: &str, message: &Message<'_>) -> Result<(), Failure> {
        for event in self.channel.late() {
            if let Event::Interrupt(interrupt) = &event {
                self.questions.add((**interrupt).clone());
            }
            show(&mut self.screen, &mut self.transcript, &event)?;
        }
        self.screen.end()?;
        self.transcript.say(&self.session, said);
        // The client waits while a session is busy in which an answer was given up.
        match &self.stopped {
            Some(session) if *session == self.session => self.screen.wait(AFTER_STOP),
            _ => self.screen.wait(WAITING),
        }
        let mut answer = self.channel.ask(&self.session, message, &mut || self.screen.busy()).await?;
        self.stopped = None;
        let _turn = terminal::turn().await;
        let (mut spoken, mut unknown) = (false, Vec::new());
        let ended = loop {
            match answer.next().await {
                Ok(AnswerPart::Event(Event::Other(event))) => unknown.push(event.data),
                Ok(AnswerPart::Event(Event::Interrupt(interrupt))) => {
                    spoken = true;
                    self.questions.add(*interrupt);
                }
                Ok(AnswerPart::Event(event)) => {
                    spoken |= event.text().is_some();
                    show(&mut self.screen, &mut self.transcript, &event)?;
                }
                Ok(AnswerPart::End(statistics)) => break Ok(statistics),
                Ok(AnswerPart::Failed(failure)) => {
                    spoken = true;
                    break Err(failure);
                }
                Err(failure) => break Err(failure),
            }
        };
        match &unknown[..] {
            _ if spoken => {}
            // An answer that is one piece is shown as it came.
            [data] => show(&mut self.screen, &mut self.transcript, &Event::Text(data.clone()))?,
            _ if ended.is_ok() => {
                self.screen.end()?;
                self.screen.note(
                    "no text is known in the agent's answer; `acore invoke --output raw` saves it as it is, and CONTRIBUTING.md of \
                     agentcore-rs says how to have it known",
                );
            }
            _ => {}
        }
        self.screen.end()?;
        if ended.is_err() {
            // Who has failed waits for nothing.
            self.questions.clear();
        }
        self.screen.statistics(&ended?);
        self.put_question();
        Ok(())
    }

    /// Shows what the next line answers, if it answers something.
    fn put_question(&mut self) {
        if let Some(interrupt) = self.questions.next() {
            let question = question(interrupt);
            self.transcript.hear(&format!("\n\n{question}"));
            self.screen.note(&question);
        }
    }

    /// Reports a failure, and remembers the first.
    fn fail(&mut self, failure: &Failure) -> Result<(), Failure> {
        let exit = self.screen.fail(failure)?;
        self.failed.get_or_insert(exit);
        Ok(())
    }

    /// Ends an answer that was interrupted.
    fn stop(&mut self) -> Result<(), Failure> {
        self.channel.give_up();
        self.questions.clear();
        self.screen.end()?;
        self.transcript.fail("stopped");
        self.stopped = Some(self.session.clone());
        self.screen.note("stopped; the agent may go on working, and the next prompt waits until it is done");
        Ok(())
    }
}

impl Lines {
    async fn next(&mut self) -> Result<Asked, Failure> {
        match self {
            Self::Piped(lines) => lines.recv().await.map_or(Ok(Asked::End), |line| line.map(Asked::Line)),
            Self::Typed(editor, interrupts) => {
                let mut asking = std::pin::pin!(editor.ask());
                loop {
                    tokio::select! {
                        asked = &mut asking => return asked,
                        // At the prompt Ctrl-C is a key of the editor's; as a signal, which any program may send, it means
                        // nothing.
                        () = interrupts.next() => {}
                    }
                }
            }
        }
    }

    /// Forgets what was typed ahead of Ctrl-C.
    fn drop_typed_ahead(&mut self) -> Result<(), Failure> {
        match self {
            Self::Typed(editor, _) => editor.drop_typed_ahead(),
            Self::Piped(_) => Ok(()),
        }
    }

    /// Waits for Ctrl-C where it stops an answer; elsewhere it ends the program.
    async fn interrupted(&mut self) {
        match self {
            Self::Typed(_, interrupts) => interrupts.next().await,
            Self::Piped(_) => std::future::pending().await,
        }
    }
}

fn show(screen: &mut Screen, transcript: &mut Transcript, event: &Event) -> Result<(), Failure> {
    if let Some(text) = event.text() {
        transcript.hear(text);
    }
    screen.event(event)
}

const AFTER_STOP: &str = "waiting; the agent may be busy";
