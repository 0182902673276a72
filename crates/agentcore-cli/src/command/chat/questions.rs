//! What the agent asked, and what has been answered so far. Asks nobody, sends nothing.

use agentcore_client::{Interrupt, SessionId, event};
use serde_json::Value;

/// The questions of the last answer, which are answered line by line.
#[derive(Debug, Default)]
pub(super) struct Questions {
    asked: Vec<Interrupt>,
    answers: Vec<String>,
}

impl Questions {
    /// Adds a question.
    pub(super) fn add(&mut self, interrupt: Interrupt) {
        self.asked.push(interrupt);
    }

    /// Returns the question that the next line answers.
    pub(super) fn next(&self) -> Option<&Interrupt> {
        self.asked.get(self.answers.len())
    }

    /// Takes an answer to the next question; after the last one, returns all answers and the payload that has them, and begins anew.
    pub(super) fn answer(&mut self, line: &str, session: &SessionId) -> Option<(String, Value)> {
        self.answers.push(line.to_owned());
        if self.next().is_some() {
            return None;
        }
        let Self { asked, answers } = std::mem::take(self);
        let pairs: Vec<_> = asked.iter().zip(answers.iter().map(String::as_str)).collect();
        Some((answers.join("\n"), event::resume(session, &pairs)))
    }

    /// Forgets them all.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_in_order() {
        let (session, mut questions) = (SessionId::derive("ada"), Questions::default());
        assert!(questions.next().is_none());
        for id in ["i1", "i2"] {
            questions.add(Interrupt::new(id, "?"));
        }
        assert_eq!(questions.next().map(|asked| &*asked.id), Some("i1"));
        assert!(questions.answer("one", &session).is_none());
        assert_eq!(questions.next().map(|asked| &*asked.id), Some("i2"));
        let Some((said, payload)) = questions.answer("two", &session) else { panic!("it was the last") };
        assert_eq!((said.as_str(), &payload["prompt"]), ("one\ntwo", &Value::from("one\ntwo")));
        assert!(questions.next().is_none());
        questions.add(Interrupt::new("i3", "?"));
        questions.clear();
        assert!(questions.next().is_none());
    }
}
